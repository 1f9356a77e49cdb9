import { Encoding } from "../Encoding.ts"
import { openAiResponsesId } from "./wire.ts"

/** A request of this API while it is made. */
export class ResponsesEncoding extends Encoding {
  readonly model: string
  /** the ids of the calls of tools that take a text */
  readonly textCalls = new Set<string>()

  constructor(model: string) {
    super(openAiResponsesId, "the Responses API")
    this.model = model
  }
}
