import { bounded } from "../bounded.ts"
import { Encoding } from "../Encoding.ts"
import { isOfOpenAi } from "../openai/reasoners.ts"
import type { EncodeContext, Quirks } from "../Protocol.ts"
import { shortId } from "./short-ids.ts"
import { openAiChatId } from "./wire.ts"

/** How long the id of a call may be where OpenAI's own models are served, in UTF-16 code units. */
const longestCallId = 40

/**
 * What is known and noticed while a request is encoded. `native` says that the request came in this format: its server
 * then takes what is not part of the API itself, apart from what it is known to refuse.
 */
export class ChatEncoding extends Encoding {
  readonly native: boolean
  readonly model: string
  readonly quirks: Quirks

  constructor(native: boolean, { model, quirks }: Pick<EncodeContext, "model" | "quirks">) {
    super(openAiChatId, "Chat Completions")
    this.native = native
    this.model = model
    this.quirks = quirks
  }

  /** Something that this server in particular would refuse. */
  refused(field: string): void {
    this.dropped(field, "the server would refuse it")
  }

  /** The id of a tool call, as this server takes it. */
  callId(id: string): string {
    if (this.quirks.shortCallIds === true) return shortId(id)
    return isOfOpenAi(this.model) ? bounded(id, longestCallId) : id
  }
}
