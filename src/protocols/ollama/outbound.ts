import { makeJsonLinesDecoder } from "../../wire/JsonLines.ts"
import type { Protocol } from "../Protocol.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { embed } from "./embed.ts"
import { encodeRequest } from "./encode-request.ts"
import { decodeError } from "./errors.ts"
import { listModels } from "./list-models.ts"
import { ollamaId } from "./wire.ts"

/**
 * The chat API of Ollama, at `/api/chat` below the server's root.
 *
 * Answers have no id. A prompt that the server had at hand from before is not counted by older servers, whose input is
 * then not known rather than zero.
 */
export const ollama: Protocol = {
  id: ollamaId,
  encode: encodeRequest,
  frames: makeJsonLinesDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  embed,
  listModels,
  decodeError
}
