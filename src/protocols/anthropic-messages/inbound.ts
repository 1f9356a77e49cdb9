import type { Dialect } from "../Dialect.ts"
import { decodeRequest } from "./decode-request.ts"
import { anthropicLimitHeaders } from "../LimitHeaders.ts"
import { renderError } from "./errors.ts"
import { betas, userProfile, workspace } from "./extension.ts"
import { makeRenderer } from "./render-stream.ts"
import { renderWhole } from "./render-whole.ts"
import { failsOn } from "./finish-reasons.ts"
import { anthropicMessagesId } from "./wire.ts"

/**
 * The Anthropic Messages API as callers speak it.
 *
 * A stream is `message_start`, blocks one after the other, one `message_delta` with the stop reason, `message_stop`; a
 * failure is `event: error`. There are no events of our own, because strict clients break on those they do not know.
 */
export const anthropicMessagesDialect: Dialect = {
  id: anthropicMessagesId,
  decode: decodeRequest,
  renderer: makeRenderer,
  renderWhole,
  renderError,
  failsOn,
  limitHeaders: anthropicLimitHeaders,
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
  headers: ["anthropic-version", betas, userProfile, workspace],
  requestIdHeader: "request-id"
}
