import type { Protocol } from "../Protocol.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { embed } from "./embed.ts"
import { googleNames } from "../ToolNames.ts"
import { encodeCountRequest, encodeRequest, readCount } from "./encode-request.ts"
import { decodeError } from "./errors.ts"
import { makeFrameDecoder } from "./frames.ts"
import { listModels } from "./list-models.ts"
import { geminiId } from "./wire.ts"

/**
 * The Gemini API (`generateContent`) as providers speak it, on Vertex AI too.
 *
 * Its output tokens are those of the answer without the thoughts; the canonical counts are inclusive. What only it says of
 * an answer is `Opaque` with `part`, `candidate` or `response`, for the place that it stands in: signatures of texts,
 * metadata of sources, ratings, feedback to the prompt.
 */
export const gemini: Protocol = {
  id: geminiId,
  encode: encodeRequest,
  toolNames: googleNames,
  frames: makeFrameDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  countTokens: { encode: encodeCountRequest, read: readCount },
  embed,
  listModels,
  decodeError
}
