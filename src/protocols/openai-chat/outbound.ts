import { makeSseDecoder } from "../../wire/Sse.ts"
import { openAiEmbedding } from "../openai-embeddings/outbound.ts"
import { openAiModelListing } from "../openai/list-models.ts"
import { decodeVendorError } from "../openai/vendor-errors.ts"
import type { Protocol } from "../Protocol.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { plainNames } from "../ToolNames.ts"
import { encodeRequest } from "./encode-request.ts"
import { openAiChatId } from "./wire.ts"

/**
 * Chat Completions as OpenAI and everyone who followed it serve it.
 *
 * The servers differ in where usage, reasoning and the end of a stream stand, in how tool calls are cut into fragments and
 * in what they add: all of it is read the same way, whoever sent it. A stream has ended where it has a finish reason or
 * the terminator.
 */
export const openAiChat: Protocol = {
  id: openAiChatId,
  encode: encodeRequest,
  toolNames: plainNames(64),
  frames: makeSseDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  embed: openAiEmbedding,
  listModels: openAiModelListing,
  decodeError: decodeVendorError(openAiChatId)
}
