import { bounded } from "../bounded.ts"
import { CallIds } from "../CallIds.ts"
import { Encoding } from "../Encoding.ts"
import { openAiResponsesId } from "./wire.ts"

/** How long the id of a call may be, in UTF-16 code units. */
const longestCallId = 64

/** A request of this API while it is made. */
export class ResponsesEncoding extends Encoding {
  readonly model: string
  /** the ids of the calls of tools that take a text */
  readonly textCalls = new Set<string>()
  readonly callIds = new CallIds((id) => bounded(id, longestCallId))

  constructor(model: string) {
    super(openAiResponsesId, "the Responses API")
    this.model = model
  }
}
