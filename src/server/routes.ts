import { Effect } from "effect"
import type { Access } from "../accounting/Access.ts"
import { checkModel, filtersBy } from "../accounting/Access.ts"
import { failure } from "../domain/LlmError.ts"
import { Engine } from "../engine/Engine.ts"
import { pickHeaders } from "../filters/headers.ts"
import type { Dialect } from "../protocols/Dialect.ts"
import { type CountTokens, ownsPath, restOfPath, type Surface, type Surfaces } from "../protocols/Surface.ts"
import { authenticate } from "./authenticate.ts"
import { callRoutes } from "./calls.ts"
import { countTokens } from "./countTokens.ts"
import { embed } from "./embed.ts"
import { eventsRoute } from "./events.ts"
import { generate, originOf } from "./Generate.ts"
import { meantPath } from "./meant-path.ts"
import { metricsRoute } from "./metrics.ts"
import { modelRoutes } from "./models.ts"
import { answerPreflight, isPreflight, type OriginPolicy, refusalOfPage, showToOrigin } from "./origins.ts"
import { callerOf, checkName, type Exchange, parseObject } from "./requests.ts"
import {
  type Handler,
  json,
  Match,
  notAllowed,
  nothingAt,
  refuse,
  type Route,
  type RouteServices,
  text
} from "./Route.ts"

const countRoute = (dialect: Dialect, { decode, render }: CountTokens): Handler =>
  json(({ principal }, text, headers) =>
    Effect.gen(function* () {
      const document = yield* text
      const body = yield* parseObject(document)
      const { request } = yield* Effect.fromResult(decode(body))
      yield* checkName("model", request.model)
      yield* checkModel(principal, request.model)
      const { headersWanted } = yield* Engine
      const counted = yield* countTokens({
        request,
        delivery: "whole",
        caller: yield* callerOf(headers, principal),
        dialect: dialect.id,
        origin: originOf(dialect, headers, document, body),
        headers: pickHeaders(headers, headersWanted),
        ...filtersBy(principal)
      })
      return render(counted)
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
      return action._tag === "Embed"
        ? embed(dialect, action, exchange, match.principal)
        : generate(dialect, exchange, match.principal, action.path)
    }
  }))

const nothingHere = json(({ path }) => nothingAt(path).error)

/**
 * Everything the server answers to. While `draining`, new calls are refused; what was begun can be read and cancelled.
 * `more` are further routes.
 */
export const makeRoutes = (
  surfaces: Surfaces,
  draining: () => boolean,
  more: ReadonlyArray<Route>
): ReadonlyArray<Route> => {
  const routes: ReadonlyArray<Route> = [
    ...surfaces.flatMap((surface) => surfaceRoutes(surface, draining)),
    ...modelRoutes(surfaces),
    ...callRoutes,
    eventsRoute,
    ...more,
    metricsRoute,
    { method: "GET", path: "/healthz", audience: "everybody", handle: text(200, "ok\n") },
    {
      method: "GET",
      path: "/readyz",
      audience: "everybody",
      handle: (exchange, match) => (draining() ? text(503, "shutting down\n") : text(200, "ready\n"))(exchange, match)
    }
  ]
  return [...routes, { method: "GET", path: "/", audience: "admin", handle: text(200, listing(routes)) }]
}

/** All that can be asked, for whoever looks; a star is any part of a path. */
const listing = (routes: ReadonlyArray<Route>): string => {
  const lines = routes
    .flatMap((route) => route.paths ?? [route])
    .map(({ method, path }) => `${method.padEnd(4)} ${path}`)
  return `Millrace\n\n${[...new Set(lines)].join("\n")}\n`
}

const decodePath = (path: string): string | undefined => {
  // A malformed escape makes it throw; such a path is nobody's.
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** The path and the query. Who takes the server for a proxy sends the whole URL. */
const originForm = (url: string): string => {
  const whole = url.startsWith("/") ? null : URL.parse(url)
  return whole === null ? url : whole.pathname + whole.search
}

/** What decides beside the routes whether and how a request is answered. */
export interface Doors {
  readonly surfaces: Surfaces
  readonly origins: OriginPolicy
  readonly access: (typeof Access)["Service"]
}

/** Finds what answers a request; what nobody answers, or not for whoever asks, is refused in the dialect that asks. */
export const dispatch =
  (routes: ReadonlyArray<Route>, { access, origins, surfaces }: Doors) =>
  (exchange: Exchange): Effect.Effect<void, never, RouteServices> => {
    const { method = "GET" } = exchange.request
    const url = originForm(exchange.request.url ?? "/")
    const at = url.indexOf("?")
    const rawPath = at < 0 ? url : url.slice(0, at)
    const path = decodePath(rawPath.length > 1 && rawPath.endsWith("/") ? rawPath.slice(0, -1) : rawPath) ?? rawPath
    const search = at < 0 ? "" : url.slice(at)
    const matchOf = (rest: string) => new Match(rest, search, surfaces, exchange, path)
    const refusal = refusalOfPage(exchange, origins)
    if (refusal !== undefined) return refuse(exchange, matchOf("").surface.dialect, refusal)
    if (exchange.request.headers.origin !== undefined) {
      showToOrigin(exchange)
      if (isPreflight(exchange)) return answerPreflight(exchange)
    }
    const allowed: Array<string> = []
    for (const route of routes) {
      const rest = restOfPath(route.path, path)
      if (rest === undefined) continue
      if (route.method === method || route.method === "*" || (route.method === "GET" && method === "HEAD")) {
        return access.required ? admit(exchange, route, matchOf(rest), access) : route.handle(exchange, matchOf(rest))
      }
      allowed.push(route.method)
    }
    const { surface } = matchOf("")
    const { error, headers } =
      allowed.length === 0
        ? nothingAt(path, whyNothing(surface, surfaces, method, path))
        : notAllowed(method, path, allowed)
    return refuse(exchange, surface.dialect, error, headers)
  }

const whyNothing = (surface: Surface, surfaces: Surfaces, method: string, path: string): string | undefined => {
  const meant = meantPath(surfaces, method, path)
  if (meant !== undefined) return `if ${meant} was meant, mend the base URL of the client`
  return ownsPath(surface, path) ? surface.absence : undefined
}

/** Lets in who may. */
const admit = (
  exchange: Exchange,
  { audience = "callers", handle }: Route,
  match: Match,
  access: Doors["access"]
): Effect.Effect<void, never, RouteServices> =>
  Effect.matchEffect(
    authenticate(access, audience, exchange.request.headers, () => match.query),
    {
      onSuccess: (principal) => {
        match.principal = principal
        return handle(exchange, match)
      },
      onFailure: (error) => {
        const challenge = error.reason._tag === "Unauthorized" ? { "www-authenticate": "Bearer" } : {}
        return refuse(exchange, match.surface.dialect, error, challenge)
      }
    }
  )
