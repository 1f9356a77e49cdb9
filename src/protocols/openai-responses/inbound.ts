import { sseComment } from "../../wire/Sse.ts"
import type { Dialect } from "../Dialect.ts"
import { renderOpenAiError } from "../openai/errors.ts"
import { openAiLimitHeaders } from "../LimitHeaders.ts"
import { decodeRequest } from "./decode-request.ts"
import { makeRenderer } from "./render-stream.ts"
import { renderWhole } from "./render-whole.ts"
import { openAiResponsesId } from "./wire.ts"

/**
 * The OpenAI Responses API as callers speak it.
 *
 * A stream is `response.created`, items of the output with their pieces, and `response.completed` or `.incomplete` with
 * the whole answer; a failure is `event: error`, which is what the SDKs throw at. Nothing is stored: what needs an earlier
 * response is refused wherever the call does not go to a server of this format as it came.
 */
export const openAiResponsesDialect: Dialect = {
  id: openAiResponsesId,
  decode: decodeRequest,
  renderer: makeRenderer,
  renderWhole,
  renderError: renderOpenAiError,
  limitHeaders: openAiLimitHeaders,
  repeatsRequest: true,
  keepAlive: sseComment(),
  headers: ["openai-beta"]
}
