import { Effect } from "effect"
import { anybody, type Principal } from "../accounting/Access.ts"
import type { AuditTrail } from "../audit/AuditTrail.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Engine } from "../engine/Engine.ts"
import type { Dialect } from "../protocols/Dialect.ts"
import { ownsPath, servesPath, type Surface, type Surfaces } from "../protocols/Surface.ts"
import type { Router } from "../routing/Router.ts"
import { type Audience, secretIn } from "./authenticate.ts"
import { explain } from "./explain.ts"
import { sendJson } from "./Generate.ts"
import { type Exchange, headersOf, readBody, type RequestHeaders, requestIdHeaders, requestIdOf } from "./requests.ts"
import type { PulseWatch } from "./Pulse.ts"
import type { ResponseHeaders } from "./ResponseWriter.ts"
import { Settings } from "./Settings.ts"

/** What a route needs of the program. */
export type RouteServices = Engine | Router | AuditTrail | PulseWatch

/** Answers a request. */
export type Handler = (exchange: Exchange, match: Match) => Effect.Effect<void, never, RouteServices>

/** A path: exact, or with `*` at its end for anything that follows; `*` as a method is any. */
export interface Route {
  readonly method: "GET" | "POST" | "*"
  readonly path: string
  /** who may ask, where keys are asked for; whoever has one unless it says otherwise */
  readonly audience?: Audience
  /** what it answers to in detail, where that is more than one thing; shown to whoever asks what there is */
  readonly paths?: ReadonlyArray<{ readonly method: string; readonly path: string }>
  readonly handle: Handler
}

const noQuery = new URLSearchParams()

/** Where a request was routed: the part of the path that the route leaves open, and the query. */
export class Match {
  readonly rest: string
  /** who asks */
  principal: Principal = anybody
  private readonly search: string
  private readonly surfaces: Surfaces
  private readonly exchange: Exchange
  readonly path: string

  constructor(rest: string, search: string, surfaces: Surfaces, exchange: Exchange, path: string) {
    this.rest = rest
    this.search = search
    this.surfaces = surfaces
    this.exchange = exchange
    this.path = path
  }

  get query(): URLSearchParams {
    return this.search === "" ? noQuery : new URLSearchParams(this.search)
  }

  /** the query without the key by which whoever asks was let in */
  get parameters(): URLSearchParams {
    const parameters = new URLSearchParams(this.search)
    if (this.principal !== anybody && secretIn(this.exchange.request.headers) === undefined) parameters.delete("key")
    return parameters
  }

  /** the dialect to answer in where the path does not decide it */
  get surface(): Surface {
    return surfaceFor(this.surfaces, this.exchange, this.path, this.query)
  }
}

/** The dialect to answer in: that of the path, else that of the headers, else the first that lists models there. */
const surfaceFor = (surfaces: Surfaces, { request }: Exchange, path: string, query: URLSearchParams): Surface => {
  const owner = surfaces.find((surface) => ownsPath(surface, path))
  if (owner !== undefined) return owner
  const headers = headersOf(request)
  const near = surfaces.filter(({ modelsPath }) => path === modelsPath || path.startsWith(`${modelsPath}/`))
  // Where one dialect asks its models, another may only describe its own.
  const asked = request.method === "POST" || near.length === 0
  return (
    (asked ? surfaces.find((surface) => servesPath(surface, path)) : undefined) ??
    (near.length === 1 ? near[0] : undefined) ??
    // A key beside the one in a header is a filter of what is read, and tells no SDK.
    surfaces.find(({ recognises }) => recognises(headers, secretIn(request.headers) === undefined ? query : noQuery)) ??
    surfaces[0]
  )
}

/** There is nothing of that name. */
export const notFound = (what: string): LlmError => failure({ _tag: "InvalidRequest", kind: "notFound" }, what)

/** Why a request is answered by nobody, and the headers that say more. */
export interface Refusal {
  readonly error: LlmError
  readonly headers: ResponseHeaders
}

/** `why` is what more there is to say. */
export const nothingAt = (path: string, why?: string): Refusal => ({
  error: notFound(`There is nothing at ${path}${why === undefined ? "" : `: ${why}`}`),
  headers: {}
})

export const notAllowed = (method: string, path: string, allowed: ReadonlyArray<string>): Refusal => ({
  error: failure(
    { _tag: "InvalidRequest", kind: "method" },
    `${method} is not allowed for ${path}; use ${allowed.join(" or ")}`
  ),
  headers: { allow: allowed.join(", ") }
})

/** Tells a failure in the words of a dialect. */
export const refuse = (
  exchange: Exchange,
  dialect: Dialect,
  error: LlmError,
  headers: ResponseHeaders = {}
): Effect.Effect<void> =>
  Effect.map(requestIdOf(headersOf(exchange.request)), (requestId) =>
    sendJson(exchange, dialect.renderError(error, requestId), { ...requestIdHeaders(dialect, requestId), ...headers })
  )

/** What makes the answer to a request; `text` reads the request's body. */
type Answer<A> = (
  match: Match,
  text: Effect.Effect<string, LlmError>,
  headers: RequestHeaders
) => Effect.Effect<A, LlmError, RouteServices>

/** A handler that answers with JSON, errors in the words of the dialect that asks. */
export const json = (answer: Answer<unknown>): Handler =>
  jsonWithStatus((...request) => Effect.map(answer(...request), (body) => ({ status: 200, body })))

/** The same where success has several statuses. */
export const jsonWithStatus =
  (answer: Answer<{ readonly status: number; readonly body: unknown }>): Handler =>
  (exchange, match) =>
    Effect.gen(function* () {
      const { bodyLimit } = yield* Settings
      const headers = headersOf(exchange.request)
      const requestId = yield* requestIdOf(headers)
      const rendered = yield* answer(match, readBody(exchange, bodyLimit), headers).pipe(
        // Everything answered here was made of JSON values.
        Effect.map(({ body, status }) => ({ status, headers: {}, body: body as never })),
        Effect.catchCause((cause) =>
          Effect.map(explain(cause), (error) => match.surface.dialect.renderError(error, requestId))
        )
      )
      yield* Effect.sync(() => sendJson(exchange, rendered, requestIdHeaders(match.surface.dialect, requestId)))
    })

/** A handler that always says the same. */
export const text =
  (status: number, body: string): Handler =>
  ({ request, response }) =>
    Effect.map(requestIdOf(headersOf(request)), (requestId) => {
      const headers = { "content-type": "text/plain; charset=utf-8", "x-request-id": requestId }
      response.writeHead(status, headers).end(body)
    })
