import { makeSseDecoder } from "../../wire/Sse.ts"
import { embed } from "../gemini/embed.ts"
import { listModels } from "../gemini/list-models.ts"
import type { Protocol } from "../Protocol.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { googleNames } from "../ToolNames.ts"
import { encodeRequest } from "./encode-request.ts"
import { decodeError } from "./errors.ts"
import { geminiInteractionsId } from "./wire.ts"

/**
 * Google's Interactions API, at `/v1beta/interactions` below the server's root.
 *
 * An answer is a list of steps: thoughts with their signatures, calls, answers of tools that the provider ran (carried
 * whole), and what the model says. Nothing is stored at the provider unless the caller asked for it.
 */
export const geminiInteractions: Protocol = {
  id: geminiInteractionsId,
  encode: encodeRequest,
  toolNames: googleNames,
  frames: makeSseDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  embed,
  listModels,
  decodeError
}
