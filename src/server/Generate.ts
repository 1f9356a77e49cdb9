import { Clock, Effect, type Scope } from "effect"
import { checkModel, filtersBy, type Principal } from "../accounting/Access.ts"
import type { Call, Origin } from "../domain/Call.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { Asked } from "../engine/Answer.ts"
import { Engine, type OpenCall } from "../engine/Engine.ts"
import { pickHeaders } from "../filters/headers.ts"
import type { Dialect, PathFacts, RenderContext, RenderedAnswer } from "../protocols/Dialect.ts"
import { sealed } from "./endSealed.ts"
import { explain } from "./explain.ts"
import type { PulseWatch } from "./Pulse.ts"
import { relayStream, relayWhole } from "./relay.ts"
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
  requestIdHeaders,
  requestIdOf,
  timeoutOf
} from "./requests.ts"
import { ResponseWriter, type ResponseHeaders } from "./ResponseWriter.ts"
import { Settings } from "./Settings.ts"

/** Sends an answer that is not a stream. Where another one has begun, it can only be broken off. */
export const sendJson = ({ response }: Exchange, answer: RenderedAnswer, headers: ResponseHeaders): void => {
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy()
    return
  }
  if (response.destroyed) return
  const body = JSON.stringify(answer.body)
  response
    .writeHead(answer.status, {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(body),
      ...answer.headers,
      ...headers
    })
    .end(body)
}

const eventStream = "text/event-stream; charset=utf-8"

const streamHeaders = {
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no"
}

/** Header values are ASCII; what is not is replaced. */
const headerText = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?")

/** What the head of an answer, or of a failure, says of who gave it. */
export const answerHeaders = (answer: Asked | undefined): ResponseHeaders => {
  if (answer === undefined) return {}
  const dropped = answer.notices.filter((notice) => notice.code === "dropped").map((notice) => notice.message)
  return {
    ...(answer.target === undefined
      ? {}
      : { "x-millrace-model": headerText(`${answer.target.provider}/${answer.target.model}`) }),
    "x-millrace-attempts": String(answer.attempts),
    ...(dropped.length === 0 ? {} : { "x-millrace-dropped": headerText(dropped.join("; ")).slice(0, 4000) })
  }
}

/** What of a request goes on untouched to a provider of the same format. */
export const originOf = (dialect: Dialect, headers: RequestHeaders, text: string, body: Origin["body"]): Origin => {
  const own: Record<string, string> = {}
  for (const name of dialect.headers) {
    const value = headers[name]
    if (value !== undefined) own[name] = value
  }
  return { protocol: dialect.id, body, text, headers: own }
}

const callOf = Effect.fnUntraced(function* (
  dialect: Dialect,
  headers: RequestHeaders,
  text: string,
  requestId: string,
  principal: Principal,
  path: PathFacts | undefined
) {
  const body = yield* parseObject(text)
  const origin = originOf(dialect, headers, text, body)
  const { request, delivery } = yield* Effect.fromResult(dialect.decode(body, path, origin.headers))
  yield* checkName("model", request.model)
  yield* checkModel(principal, request.model)
  const timeoutMs = yield* timeoutOf(headers)
  const conversation = yield* conversationOf(headers)
  return {
    request,
    delivery,
    caller: yield* callerOf(headers, principal),
    dialect: dialect.id,
    origin,
    requestId,
    ...(conversation === undefined ? {} : { conversation }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...filtersBy(principal)
  } satisfies Call
})

/**
 * Answers one request to generate, in the words of a dialect: reads it, runs it as a call, and sends what comes, streamed
 * or whole. It never fails: every failure is told to the caller.
 */
export const generate = (
  dialect: Dialect,
  exchange: Exchange,
  principal: Principal,
  path?: PathFacts
): Effect.Effect<void, never, Engine | PulseWatch> => {
  const headers = headersOf(exchange.request)
  return Effect.flatMap(requestIdOf(headers), (requestId) => {
    const sent = requestIdHeaders(dialect, requestId)
    return serve(dialect, exchange, principal, path, headers, requestId, sent).pipe(
      Effect.scoped,
      Effect.catchCause((cause) =>
        Effect.map(explain(cause), (error) => sendJson(exchange, dialect.renderError(error, requestId), sent))
      )
    )
  })
}

const serve = Effect.fnUntraced(function* (
  dialect: Dialect,
  exchange: Exchange,
  principal: Principal,
  path: PathFacts | undefined,
  headers: RequestHeaders,
  requestId: string,
  sent: Record<string, string>
): Effect.fn.Return<void, LlmError, Engine | PulseWatch | Scope.Scope> {
  const engine = yield* Engine
  const settings = yield* Settings
  const clock = yield* Clock.Clock
  yield* checkControl(headers)
  const text = yield* readBody(exchange, settings.bodyLimit)
  const read = yield* callOf(dialect, headers, text, requestId, principal, path)
  const told = engine.headersWanted
  const call = told.length === 0 ? read : { ...read, headers: pickHeaders(headers, told) }
  const opened = yield* engine.open(call)
  sent["x-millrace-call-id"] = opened.id
  if (opened.limits.length > 0) Object.assign(sent, dialect.limitHeaders?.(opened.limits))
  const tellWho = () => Effect.sync(() => Object.assign(sent, answerHeaders(opened.asked())))
  const context: RenderContext = {
    id: opened.id,
    created: Math.floor(clock.currentTimeMillisUnsafe() / 1000),
    request: call.request,
    origin: call.origin
  }
  const { left } = opened
  if (left !== undefined) exchange.whenLeft = left
  if (call.delivery === "whole") {
    return yield* Effect.onError(serveWhole(opened, dialect, context, exchange, sent), tellWho)
  }
  let answer: Asked | undefined
  const writer = new ResponseWriter(
    exchange.response,
    () => ({ "content-type": dialect.contentType ?? eventStream, ...streamHeaders, ...sent, ...answerHeaders(answer) }),
    () => clock.currentTimeMillisUnsafe()
  )
  if (left !== undefined) {
    // A function of its own, as in `relayStream`: written at the property it would keep the call from being freed young.
    const goesOn = () => goesOnWithout(writer, left)
    exchange.whenLeft = goesOn
  }
  yield* Effect.onError(
    relayStream(opened, dialect, context, writer, settings, (begun) => {
      answer = begun
    }),
    tellWho
  )
})

/** Has the call go on whose caller left, if it does; what comes of it is not written to anybody. */
const goesOnWithout = (writer: ResponseWriter, left: () => boolean): boolean => {
  const goesOn = left()
  if (goesOn) writer.leave()
  return goesOn
}

const serveWhole = Effect.fnUntraced(function* (
  opened: OpenCall,
  dialect: Dialect,
  context: RenderContext,
  { response }: Exchange,
  sent: Record<string, string>
) {
  const { answer, text } = yield* relayWhole(opened, dialect, context)
  // Read for the record alone, if the client left.
  if (response.destroyed) return
  const bytes = Buffer.byteLength(text)
  if (opened.seal !== undefined) yield* sealed(opened.seal, opened, bytes)
  response
    .writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": bytes,
      ...sent,
      ...answerHeaders(answer)
    })
    .end(text)
  opened.delivery.bytes = bytes
  opened.delivery.complete = true
})
