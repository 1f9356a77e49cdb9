import { makeSseDecoder } from "../../wire/Sse.ts"
import { openAiEmbedding } from "../openai-embeddings/outbound.ts"
import { decodeVendorError } from "../openai/vendor-errors.ts"
import { openAiModelListing } from "../openai/list-models.ts"
import type { Protocol } from "../Protocol.ts"
import { countTokens } from "./count-tokens.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { plainNames } from "../ToolNames.ts"
import { encodeRequest } from "./encode-request.ts"
import { openAiResponsesId } from "./wire.ts"

/**
 * The OpenAI Responses API as providers speak it.
 *
 * Nothing is stored at the provider unless the caller asked for it: reasoning goes back and forth encrypted. A tool that
 * the provider runs is a call, its input and, with the whole item, its answer; other items are carried whole.
 */
export const openAiResponses: Protocol = {
  id: openAiResponsesId,
  encode: encodeRequest,
  toolNames: plainNames(64),
  frames: makeSseDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  countTokens,
  embed: openAiEmbedding,
  listModels: openAiModelListing,
  decodeError: decodeVendorError(openAiResponsesId)
}
