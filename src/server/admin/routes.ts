import { NodeHttpServer } from "@effect/platform-node"
import { Duration, Effect, Layer, Option } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiMiddleware } from "effect/http-api"
import type { KeyRefused } from "../../accounting/KeyRefused.ts"
import { type IssuedKey as Issued, Keys } from "../../accounting/Keys.ts"
import type { StorageError } from "../../storage/Database.ts"
import { requestIdOf, headersOf } from "../requests.ts"
import type { Route } from "../Route.ts"
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
  return reason === "filters" ? new KeyUnusable({ message }) : new KeyConflict({ message })
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
      .handle("rotate", ({ params, payload }) =>
        Effect.mapBoth(keys.rotate(params.name, Duration.seconds(payload.graceSeconds ?? 0)), {
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

const saysWhatIsWrong = HttpApiMiddleware.layerSchemaErrorTransform(
  SaysWhatIsWrong,
  ({ cause, kind }) => new Malformed({ message: `${kind}: ${cause.message}` })
)

const openapiPath = "/admin/api/openapi.json"
const api = HttpApiBuilder.layer(AdminApi, { openapiPath })

const paths = [
  ...Object.values(AdminApi.groups).flatMap(({ endpoints }) =>
    Object.values(endpoints).map(({ method, path }) => ({ method, path: path.replaceAll(/:\w+/g, "*") }))
  ),
  { method: "GET", path: openapiPath }
]

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
    handle: ({ request, response }) =>
      Effect.flatMap(requestIdOf(headersOf(request)), (requestId) =>
        Effect.callback<void>((resume) => {
          response.setHeader("x-request-id", requestId)
          response.once("close", () => resume(Effect.void))
          handler(request, response)
        })
      )
  }
  return [route]
})
