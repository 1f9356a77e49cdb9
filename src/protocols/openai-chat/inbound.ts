import { sseComment } from "../../wire/Sse.ts"
import type { Dialect } from "../Dialect.ts"
import { renderOpenAiError } from "../openai/errors.ts"
import { openAiLimitHeaders } from "../LimitHeaders.ts"
import { decodeRequest } from "./decode-request.ts"
import { makeRenderer } from "./render-stream.ts"
import { renderWhole } from "./render-whole.ts"
import { openAiChatId } from "./wire.ts"

/**
 * Chat Completions as callers speak it.
 *
 * A stream is chunks and, where all went well, `[DONE]`; a failure is a frame with `error` at its top, and nothing after
 * it. Reasoning is `reasoning_content`, the name that most clients read; its signatures and encrypted forms stand in
 * `reasoning_details`, from where they come back in the next turn.
 */
export const openAiChatDialect: Dialect = {
  id: openAiChatId,
  decode: decodeRequest,
  renderer: makeRenderer,
  renderWhole,
  renderError: renderOpenAiError,
  limitHeaders: openAiLimitHeaders,
  keepAlive: sseComment("keep-alive"),
  headers: ["openai-beta"]
}
