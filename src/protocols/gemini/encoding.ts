import { Encoding } from "../Encoding.ts"
import type { JsonObject } from "../open-document.ts"
import type { ModelTraits } from "./models.ts"
import { geminiId } from "./wire.ts"

/** A request of this API while it is made, for a model of known traits. */
export class GeminiEncoding extends Encoding {
  readonly traits: ModelTraits
  /** the names of the functions that were called, by the id of the call */
  readonly called = new Map<string, string>()
  private shown: Array<JsonObject> = []

  constructor(traits: ModelTraits) {
    super(geminiId, "the Gemini API")
    this.traits = traits
  }

  /** What a function answered beside words, for a model that sees such things only in a turn of the user's own. */
  show(name: string, media: ReadonlyArray<JsonObject>): void {
    this.add("emulated", "media in the result of a tool: they follow in a message of the user")
    this.shown.push({ text: `The answer of the function ${name} contains:` }, ...media)
  }

  /** What was shown since this was asked last. */
  takeShown(): ReadonlyArray<JsonObject> {
    const { shown } = this
    this.shown = []
    return shown
  }
}
