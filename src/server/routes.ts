import { Effect } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { AuditTrail } from "../audit/AuditTrail.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { Engine } from "../engine/Engine.ts"
import type { Dialect } from "../protocols/Dialect.ts"
import { type CountTokens, ownsPath, restOfPath, servesPath, type Surface } from "../protocols/Surface.ts"
import type { StorageError } from "../storage/Database.ts"
import { Router, unknownModel } from "../routing/Router.ts"
import { countTokens } from "./countTokens.ts"
import { embed } from "./embed.ts"
import { explain } from "./explain.ts"
import { generate, originOf, sendJson } from "./Generate.ts"
import {
  type Exchange,
  headersOf,
  parseObject,
  readBody,
  type RequestHeaders,
  requestIdHeaders,
  requestIdOf
} from "./requests.ts"
import { answerPreflight, isPreflight, type OriginPolicy, refusalOfOrigin, showToOrigin } from "./origins.ts"
import type { ResponseHeaders } from "./ResponseWriter.ts"
import { Settings } from "./Settings.ts"

/** The dialects that are served; the first answers what no dialect claims. */
export type Surfaces = NonEmptyReadonlyArray<Surface>

/** What a route needs of the program. */
export type RouteServices = Engine | Router | AuditTrail

type Handler = (exchange: Exchange, match: Match) => Effect.Effect<void, never, RouteServices>

const noQuery = new URLSearchParams()

/** Where a request was routed: the part of the path that the route leaves open, and the query. */
class Match {
  readonly rest: string
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

  /** the dialect to answer in where the path does not decide it */
  get surface(): Surface {
    return surfaceFor(this.surfaces, this.exchange, this.path, this.query)
  }
}

/** A path: exact, or with `*` at its end for anything that follows. */
interface Route {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly handle: Handler
}

/** A handler that answers with JSON, errors in the words of the dialect that asks. `text` reads the request's body. */
const json =
  (
    answer: (
      match: Match,
      text: Effect.Effect<string, LlmError>,
      headers: RequestHeaders
    ) => Effect.Effect<unknown, LlmError, RouteServices>
  ): Handler =>
  (exchange, match) =>
    Effect.gen(function* () {
      const { bodyLimit } = yield* Settings
      const headers = headersOf(exchange.request)
      const requestId = yield* requestIdOf(headers)
      const rendered = yield* answer(match, readBody(exchange, bodyLimit), headers).pipe(
        // Everything answered here was made of JSON values.
        Effect.map((body) => ({ status: 200, headers: {}, body: body as never })),
        Effect.catchCause((cause) =>
          Effect.map(explain(cause), (error) => match.surface.dialect.renderError(error, requestId))
        )
      )
      yield* Effect.sync(() => sendJson(exchange, rendered, requestIdHeaders(match.surface.dialect, requestId)))
    })

const countRoute = (dialect: Dialect, { decode, render }: CountTokens): Handler =>
  json((_, text, headers) =>
    Effect.gen(function* () {
      const document = yield* text
      const body = yield* parseObject(document)
      const { request } = yield* Effect.fromResult(decode(body))
      return render(yield* countTokens(request, originOf(dialect, headers, document, body)))
    })
  )

/** A call that comes while the process ends: the next one, on a connection of its own, reaches another process. */
const refuseCall = (dialect: Dialect, exchange: Exchange): Effect.Effect<void> =>
  refuse(exchange, dialect, failure({ _tag: "NoRoute" }, "The server is shutting down"), { connection: "close" })

const surfaceRoutes = (surface: Surface, draining: () => boolean): ReadonlyArray<Route> =>
  surface.paths.map(({ path, actionOf }) => ({
    method: "POST",
    path,
    handle: (exchange, match) => {
      const action = actionOf(match.rest, match.query)
      if (action === undefined) return nothingHere(exchange, match)
      if (action._tag === "CountTokens") return countRoute(surface.dialect, action)(exchange, match)
      const dialect = action._tag === "Embed" ? surface.dialect : action.dialect
      if (draining()) return refuseCall(dialect, exchange)
      return action._tag === "Embed" ? embed(dialect, action, exchange) : generate(dialect, exchange, action.path)
    }
  }))

const nothingHere = json(({ path }) => notFound(`There is nothing at ${path}`))

const models = json(({ surface }) =>
  Effect.flatMap(Router, (router) => Effect.map(router.models, (models) => surface.renderModels(models)))
)

const model = json(({ rest, surface }) =>
  Effect.gen(function* () {
    const router = yield* Router
    const known = yield* router.models
    // A name without its provider is enough where only one has it, as in calls.
    const [only, ...others] = known.filter(({ id, provider }) => id === `${provider}/${rest}`)
    const found = known.find(({ id }) => id === rest) ?? (others.length === 0 ? only : undefined)
    if (found === undefined) {
      return yield* unknownModel(
        rest,
        known.map(({ id }) => id)
      )
    }
    return surface.renderModel(found)
  })
)

const notFound = (what: string) => failure({ _tag: "InvalidRequest", kind: "notFound" }, what)

const readFailure = (error: StorageError | LlmError): LlmError =>
  error._tag === "LlmError" ? error : failure({ _tag: "AuditUnavailable" }, "The records cannot be read now")

const calls = json(({ query }) =>
  Effect.gen(function* () {
    const limit = Number(query.get("limit") ?? 20)
    if (!Number.isInteger(limit) || limit < 1) {
      return yield* failure(
        { _tag: "InvalidRequest", kind: "type", path: "limit" },
        "limit has to be a whole number from 1 on; at most 100 records come at a time"
      )
    }
    const cursor = query.get("cursor")
    const audit = yield* AuditTrail
    return yield* Effect.mapError(audit.list({ limit, ...(cursor === null ? {} : { cursor }) }), readFailure)
  })
)

const call = json(({ rest }) =>
  Effect.gen(function* () {
    const audit = yield* AuditTrail
    const record = yield* Effect.mapError(audit.get(rest), readFailure)
    return record ?? (yield* notFound(`There is no call ${JSON.stringify(rest)}`))
  })
)

const cancelSuffix = "/cancel"

const cancelCall = json(({ rest }) =>
  Effect.gen(function* () {
    const id = rest.slice(0, -cancelSuffix.length)
    const engine = yield* Engine
    if (!rest.endsWith(cancelSuffix) || !(yield* engine.cancel(id))) {
      return yield* notFound(`There is no open call ${JSON.stringify(id)}`)
    }
    return { id, cancelled: true }
  })
)

const text =
  (status: number, body: string): Handler =>
  ({ request, response }) =>
    Effect.map(requestIdOf(headersOf(request)), (requestId) => {
      const headers = { "content-type": "text/plain; charset=utf-8", "x-request-id": requestId }
      response.writeHead(status, headers).end(body)
    })

/** Everything the server answers to. While `draining`, new calls are refused; what was begun can be read and cancelled. */
export const makeRoutes = (surfaces: Surfaces, draining: () => boolean): ReadonlyArray<Route> => [
  ...surfaces.flatMap((surface) => surfaceRoutes(surface, draining)),
  ...[...new Set(surfaces.map(({ modelsPath }) => modelsPath))].flatMap((path): ReadonlyArray<Route> => [
    { method: "GET", path, handle: models },
    { method: "GET", path: `${path}/*`, handle: model }
  ]),
  { method: "GET", path: "/v1/calls", handle: calls },
  { method: "GET", path: "/v1/calls/*", handle: call },
  { method: "POST", path: "/v1/calls/*", handle: cancelCall },
  { method: "GET", path: "/healthz", handle: text(200, "ok\n") },
  {
    method: "GET",
    path: "/readyz",
    handle: (exchange, match) => (draining() ? text(503, "shutting down\n") : text(200, "ready\n"))(exchange, match)
  },
  {
    method: "GET",
    path: "/",
    handle: text(
      200,
      `Millrace\n\n${surfaces.flatMap(({ paths }) => paths.map(({ path }) => `POST ${path}\n`)).join("")}GET  /v1/models\nGET  /v1/calls\n`
    )
  }
]

const decodePath = (path: string): string | undefined => {
  // A malformed escape makes it throw; such a path is nobody's.
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** Finds what answers a request; what nobody answers is refused in the dialect that asks. */
export const dispatch =
  (routes: ReadonlyArray<Route>, surfaces: Surfaces, policy: OriginPolicy) =>
  (exchange: Exchange): Effect.Effect<void, never, RouteServices> => {
    const { method = "GET", url = "/" } = exchange.request
    const at = url.indexOf("?")
    const rawPath = at < 0 ? url : url.slice(0, at)
    const path = decodePath(rawPath.length > 1 && rawPath.endsWith("/") ? rawPath.slice(0, -1) : rawPath) ?? rawPath
    const search = at < 0 ? "" : url.slice(at)
    const dialect = () => new Match("", search, surfaces, exchange, path).surface.dialect
    if (exchange.request.headers.origin !== undefined) {
      const refusal = refusalOfOrigin(exchange, policy)
      if (refusal !== undefined) return refuse(exchange, dialect(), refusal)
      showToOrigin(exchange)
      if (isPreflight(exchange)) return answerPreflight(exchange)
    }
    const allowed: Array<string> = []
    for (const route of routes) {
      const rest = restOfPath(route.path, path)
      if (rest === undefined) continue
      if (route.method === method || (route.method === "GET" && method === "HEAD")) {
        return route.handle(exchange, new Match(rest, search, surfaces, exchange, path))
      }
      allowed.push(route.method)
    }
    if (allowed.length === 0) return refuse(exchange, dialect(), notFound(`There is nothing at ${path}`))
    const message = `${method} is not allowed for ${path}; use ${allowed.join(" or ")}`
    const error = failure({ _tag: "InvalidRequest", kind: "method" }, message)
    return refuse(exchange, dialect(), error, { allow: allowed.join(", ") })
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
    surfaces.find(({ recognises }) => recognises(headers, query)) ??
    surfaces[0]
  )
}

const refuse = (
  exchange: Exchange,
  dialect: Dialect,
  error: LlmError,
  headers: ResponseHeaders = {}
): Effect.Effect<void> =>
  Effect.map(requestIdOf(headersOf(exchange.request)), (requestId) =>
    sendJson(exchange, dialect.renderError(error, requestId), { ...requestIdHeaders(dialect, requestId), ...headers })
  )
