import { makeSseDecoder } from "../../wire/Sse.ts"
import type { Protocol } from "../Protocol.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { embed } from "./embed.ts"
import { encodeRequest } from "./encode-request.ts"
import { decodeError } from "./errors.ts"
import { listModels } from "./list-models.ts"
import { cohereV2Id } from "./wire.ts"

/**
 * Version 2 of Cohere's chat API, at `/v2/chat` below the server's root.
 *
 * Answers do not name their model. The plan that a model makes before it calls tools is reasoning; citations are sources
 * with the documents or answers of tools that they quote, their offsets as the API counts them.
 */
export const cohereV2: Protocol = {
  id: cohereV2Id,
  encode: encodeRequest,
  frames: makeSseDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  embed,
  listModels,
  decodeError
}
