import { CallIds, plainCallId } from "../CallIds.ts"
import { Encoding } from "../Encoding.ts"
import { anthropicMessagesId } from "./wire.ts"

/** A request of this API while it is made. */
export class MessagesEncoding extends Encoding {
  readonly callIds = new CallIds(plainCallId)

  constructor() {
    super(anthropicMessagesId, "the Messages API")
  }
}
