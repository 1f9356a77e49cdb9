import { Effect, type Scope } from "effect"
import { checkModel, filtersBy, type Principal } from "../accounting/Access.ts"
import type { AuditTrail } from "../audit/AuditTrail.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { openEmbedding } from "../engine/embed.ts"
import { Engine } from "../engine/Engine.ts"
import { pickHeaders } from "../filters/headers.ts"
import type { Dialect } from "../protocols/Dialect.ts"
import type { Embed } from "../protocols/Surface.ts"
import type { Router } from "../routing/Router.ts"
import { sealed } from "./endSealed.ts"
import { explain } from "./explain.ts"
import { answerHeaders, sendJson } from "./Generate.ts"
import {
  callerOf,
  checkName,
  conversationOf,
  checkControl,
  type Exchange,
  headersOf,
  parseObject,
  readBody,
  type RequestHeaders,
  requestIdOf,
  timeoutOf
} from "./requests.ts"
import { Settings } from "./Settings.ts"

/** Answers a request for vectors. It never fails: every failure is told to the caller, in the words of `dialect`. */
export const embed = (
  dialect: Dialect,
  action: Embed,
  exchange: Exchange,
  principal: Principal
): Effect.Effect<void, never, Engine | AuditTrail | Router> =>
  Effect.gen(function* () {
    const headers = headersOf(exchange.request)
    const requestId = yield* requestIdOf(headers)
    const sent: Record<string, string> = { "x-request-id": requestId }
    yield* serve(dialect, action, exchange, principal, headers, sent).pipe(
      Effect.scoped,
      Effect.catchCause((cause) =>
        Effect.map(explain(cause), (error) => sendJson(exchange, dialect.renderError(error, requestId), sent))
      )
    )
  })

const serve = Effect.fnUntraced(function* (
  dialect: Dialect,
  { decode, render, format }: Embed,
  exchange: Exchange,
  principal: Principal,
  headers: RequestHeaders,
  sent: Record<string, string>
): Effect.fn.Return<void, LlmError, Engine | AuditTrail | Router | Scope.Scope> {
  const { headersWanted } = yield* Engine
  yield* checkControl(headers)
  const { bodyLimit } = yield* Settings
  const text = yield* readBody(exchange, bodyLimit)
  const body = yield* parseObject(text)
  const request = yield* Effect.fromResult(decode(body))
  yield* checkName("model", request.model)
  yield* checkModel(principal, request.model)
  const timeoutMs = yield* timeoutOf(headers)
  const conversation = yield* conversationOf(headers)
  const opened = yield* openEmbedding({
    request,
    caller: yield* callerOf(headers, principal),
    dialect: format,
    origin: { protocol: format, body, text, headers: {} },
    requestId: sent["x-request-id"]!,
    headers: pickHeaders(headers, headersWanted),
    ...(conversation === undefined ? {} : { conversation }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...filtersBy(principal)
  })
  sent["x-millrace-call-id"] = opened.id
  if (opened.limits.length > 0) Object.assign(sent, dialect.limitHeaders?.(opened.limits))
  const { target, attempts, answer } = yield* Effect.onError(opened.embedded, () =>
    Effect.sync(() => Object.assign(sent, answerHeaders(opened.asked())))
  )
  const bytes = Buffer.from(render(answer, request))
  if (opened.seal !== undefined) yield* sealed(opened.seal, opened, bytes.length)
  exchange.response
    .writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": bytes.length,
      ...sent,
      ...answerHeaders({ target, attempts, notices: answer.notices })
    })
    .end(bytes)
  opened.delivery.bytes = bytes.length
  opened.delivery.complete = true
})
