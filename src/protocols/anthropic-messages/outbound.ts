import { makeSseDecoder } from "../../wire/Sse.ts"
import { claudeContinues } from "../claude/traits.ts"
import type { Protocol } from "../Protocol.ts"
import { countTokens } from "./count-tokens.ts"
import { decodeWhole, makeStreamDecoder } from "./decode-stream.ts"
import { plainNames } from "../ToolNames.ts"
import { encodeRequest } from "./encode-request.ts"
import { decodeError } from "./errors.ts"
import { listModels } from "./list-models.ts"
import { anthropicMessagesId } from "./wire.ts"

/**
 * The Anthropic Messages API as providers speak it.
 *
 * Its input tokens are those that neither came from the cache nor went into it; the canonical counts are inclusive. Blocks
 * that have no canonical form (answers of tools that the provider ran, compactions) are events with the block verbatim.
 */
export const anthropicMessages: Protocol = {
  id: anthropicMessagesId,
  encode: encodeRequest,
  toolNames: plainNames(128),
  continues: claudeContinues,
  frames: makeSseDecoder,
  decoder: makeStreamDecoder,
  decodeWhole,
  countTokens,
  listModels,
  decodeError
}
