import { sseComment } from "../../wire/Sse.ts"
import type { Dialect } from "../Dialect.ts"
import { decodeRequest } from "./decode-request.ts"
import { renderError } from "./errors.ts"
import { makeArrayRenderer, makeRenderer } from "./render-stream.ts"
import { renderWhole } from "./render-whole.ts"
import { geminiId } from "./wire.ts"

/**
 * The Gemini API as callers speak it.
 *
 * The model and the delivery stand in the path, which `decode` takes beside the body. A stream is chunks that each are an
 * answer of their own, the last with the finish reason and the usage; there is no terminator, and a failure is a chunk with
 * `error`. Clients drop an event that does not begin with `data:`, so a sign of life is a comment in a block of its own.
 */
export const geminiDialect = {
  id: geminiId,
  decode: decodeRequest,
  renderer: makeRenderer,
  renderWhole,
  renderError,
  keepAlive: sseComment(),
  headers: []
} satisfies Dialect

/** The same without `alt=sse`: a stream is one JSON array, in which a sign of life is white space. */
export const geminiArrayDialect = {
  ...geminiDialect,
  contentType: "application/json; charset=utf-8",
  renderer: makeArrayRenderer,
  keepAlive: "\n"
} satisfies Dialect
