import { NodeHttpServer } from "@effect/platform-node"
import { Duration, Effect, Layer, Option } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiMiddleware } from "effect/http-api"
import type { KeyRefused } from "../../accounting/KeyRefused.ts"
import { type IssuedKey as Issued, Keys } from "../../accounting/Keys.ts"
import type { StorageError } from "../../storage/Database.ts"
import { findingsOf } from "../../config/decode.ts"
import { type Finding, formatPath } from "../../config/problems.ts"
import { requestIdOf, headersOf } from "../requests.ts"
import { notAllowed, nothingAt, type Refusal, refuse, type Route } from "../Route.ts"
import { targetStatuses } from "./targets.ts"
import {
  AdminApi,
  KeyConflict,
  KeyNotFound,
  KeysUnavailable,
  KeyUnusable,
  Malformed,
  SaysWhatIsWrong
} from "./AdminApi.ts"

const explained = (error: KeyRefused | StorageError): KeyNotFound | KeyConflict | KeyUnusable | KeysUnavailable => {
  if (error._tag === "StorageError") return unavailable()
  const { message, reason } = error
  if (reason === "unknown") return new KeyNotFound({ message })
  return reason === "filters" || reason === "expired" ? new KeyUnusable({ message }) : new KeyConflict({ message })
}

const unavailable = () => new KeysUnavailable({ message: "The keys cannot be reached now; try again" })
const shown = ({ key, secret }: Issued) => ({ ...key, secret })

const keysGroup = HttpApiBuilder.group(
  AdminApi,
  "keys",
  Effect.fnUntraced(function* (handlers) {
    const keys = yield* Keys
    return handlers
      .handle("list", () => Effect.mapBoth(keys.list, { onSuccess: (data) => ({ data }), onFailure: unavailable }))
      .handle("create", ({ payload }) =>
        Effect.mapBoth(keys.create(payload), { onSuccess: shown, onFailure: explained })
      )
      .handle("get", ({ params }) =>
        Effect.flatMap(Effect.mapError(keys.list, unavailable), (all) => {
          const key = all.find(({ name }) => name === params.name)
          return key === undefined
            ? new KeyNotFound({ message: `There is no key ${JSON.stringify(params.name)}` })
            : Effect.succeed(key)
        })
      )
      .handle("change", ({ params, payload }) => Effect.mapError(keys.change(params.name, payload), explained))
      .handle("remove", ({ params }) => Effect.mapError(keys.remove(params.name), explained))
      .handle("rotate", ({ params, payload }) =>
        Effect.mapBoth(keys.rotate(params.name, Duration.seconds(payload?.graceSeconds ?? 0)), {
          onSuccess: shown,
          onFailure: explained
        })
      )
  })
)

const targets = HttpApiBuilder.group(
  AdminApi,
  "targets",
  Effect.fnUntraced(function* (handlers) {
    const context = yield* Effect.context()
    return handlers.handle("list", () =>
      Effect.map(Effect.provideContext(targetStatuses, context), (data) => ({ data }))
    )
  })
)

const told = ({ message, path }: Finding): string =>
  path.length === 0 ? "The request body has to be a JSON object" : `${formatPath(path)}: ${message}`

const saysWhatIsWrong = HttpApiMiddleware.layerSchemaErrorTransform(
  SaysWhatIsWrong,
  ({ cause }) => new Malformed({ message: [...new Set(findingsOf(cause.issue).map(told))].join("\n") })
)

const openapiPath = "/admin/api/openapi.json"
const api = HttpApiBuilder.layer(AdminApi, { openapiPath })

const paths = [
  ...Object.values(AdminApi.groups).flatMap(({ endpoints }) =>
    Object.values(endpoints).map(({ method, path }) => ({ method, path: path.replaceAll(/:\w+/g, "*") }))
  ),
  { method: "GET", path: openapiPath }
]

/** What is told of a path that there is not, or of one for which there is not this method. */
const refusalOf = (method: string, path: string): Refusal | undefined => {
  const allowed = paths.filter((known) => isAt(known.path, path)).map((known) => known.method)
  if (allowed.includes(method === "HEAD" ? "GET" : method)) return undefined
  return allowed.length === 0 ? nothingAt(path) : notAllowed(method, path, allowed)
}

/** Whether a path is one of those that a pattern stands for, in which each star is a name. */
const isAt = (pattern: string, path: string): boolean => {
  const segments = path.split("/")
  const expected = pattern.split("/")
  return (
    segments.length === expected.length &&
    expected.every((segment, index) => (segment === "*" ? segments[index] !== "" : segment === segments[index]))
  )
}

/** The administrator's API, where the program has keys at all; nothing where it has none. */
export const makeAdminRoutes = Effect.gen(function* () {
  const keys = yield* Effect.serviceOption(Keys)
  if (Option.isNone(keys)) return []
  const served = api.pipe(
    Layer.provide([keysGroup, targets]),
    Layer.provide([
      saysWhatIsWrong,
      Layer.succeed(Keys, keys.value),
      NodeHttpServer.layerHttpServices,
      HttpRouter.disableLogger
    ])
  )
  const handler = yield* NodeHttpServer.makeHandler(yield* HttpRouter.toHttpEffect(served), {
    scope: yield* Effect.scope
  })
  const route: Route = {
    method: "*",
    path: "/admin/api/*",
    audience: "admin",
    paths,
    handle: (exchange, match) => {
      const { request, response } = exchange
      const refusal = refusalOf(request.method ?? "GET", match.path)
      if (refusal !== undefined) return refuse(exchange, match.surface.dialect, refusal.error, refusal.headers)
      // Whatever a client calls its body, here it can only be JSON, as on every other route.
      request.headers["content-type"] = "application/json"
      return Effect.flatMap(requestIdOf(headersOf(request)), (requestId) =>
        Effect.callback<void>((resume) => {
          response.setHeader("x-request-id", requestId)
          response.once("close", () => resume(Effect.void))
          handler(request, response)
        })
      )
    }
  }
  return [route]
})
