import { makeSseDecoder } from "../../wire/Sse.ts"
import { openAiEmbedding } from "../openai-embeddings/outbound.ts"
import { decodeVendorError } from "../openai/vendor-errors.ts"
import { openAiModelListing } from "../openai/list-models.ts"
import type { Protocol } from "../Protocol.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { encodeRequest } from "./encode-request.ts"
import { openAiCompletionsId } from "./wire.ts"

/**
 * The completions API that came before chat, for servers that have nothing else: `/completions` below a base URL that
 * ends with the version.
 *
 * A prompt is a text: a conversation is rendered as one (see `renderPrompt`), and what a text cannot be (images, tools, an
 * answer of a given form) is refused as unsupported, so that another target is asked.
 */
export const openAiCompletions: Protocol = {
  id: openAiCompletionsId,
  encode: encodeRequest,
  continues: () => true,
  frames: makeSseDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  embed: openAiEmbedding,
  listModels: openAiModelListing,
  decodeError: decodeVendorError(openAiCompletionsId)
}
