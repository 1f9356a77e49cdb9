import { Duration, Effect, type Scope } from "effect"
import type { HttpClient, HttpClientError } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import type { KeyRefused } from "../accounting/KeyRefused.ts"
import { type IssuedKey, Keys } from "../accounting/Keys.ts"
import type { KeyChange, NewKey, VirtualKey } from "../accounting/VirtualKey.ts"
import { formatStorageUrl } from "../config/Document.ts"
import type { Configuration } from "../config/Configuration.ts"
import { keysLayer } from "../config/layers.ts"
import { AdminApi } from "../server/admin/AdminApi.ts"
import type { StorageError } from "../storage/Database.ts"
import { baseOf } from "./asking.ts"
import { CommandFailed, unusableStorage } from "./CommandFailed.ts"

type Issued = Effect.Effect<IssuedKey, CommandFailed>

/** Where the commands find keys. `where` names the place to the user. */
export interface KeyRing {
  readonly where: string
  /** whether callers are asked for keys there, as far as that is known */
  readonly isAsked: boolean
  readonly list: Effect.Effect<ReadonlyArray<VirtualKey>, CommandFailed>
  readonly create: (key: NewKey) => Issued
  readonly rotate: (name: string, grace: Duration.Duration) => Issued
  readonly change: (name: string, change: KeyChange) => Effect.Effect<VirtualKey, CommandFailed>
  readonly remove: (name: string) => Effect.Effect<void, CommandFailed>
}

const refused = (error: KeyRefused | StorageError) => new CommandFailed({ message: error.message })

/** The keys of the configured database, which servers may be using: they see a change within a second or so. */
export const databaseKeys = Effect.fnUntraced(function* (
  configuration: Configuration
): Effect.fn.Return<KeyRing, CommandFailed> {
  const { storage } = configuration
  const where = formatStorageUrl(storage)
  if (storage._tag === "Memory") {
    return yield* new CommandFailed({
      message:
        "The configuration keeps keys in the memory of the server.\nAsk the server: --url http://127.0.0.1:8787 --key <auth.adminKey>"
    })
  }
  const using = <A>(use: (keys: Keys["Service"]) => Effect.Effect<A, KeyRefused | StorageError>) =>
    Effect.flatMap(Keys, (keys) => Effect.mapError(use(keys), refused)).pipe(
      Effect.provide(keysLayer(configuration)),
      Effect.catchTag(["StorageError", "MigrationError"], (error) => unusableStorage(where)(error))
    )
  return {
    where,
    isAsked: configuration.auth.mode === "keys",
    list: using((keys) => keys.list),
    create: (key) => using((keys) => keys.create(key)),
    rotate: (name, grace) => using((keys) => keys.rotate(name, grace)),
    change: (name, change) => using((keys) => keys.change(name, change)),
    remove: (name) => using((keys) => keys.remove(name))
  }
})

/** The keys of a running server, by its administrator's API. */
export const serverKeys = Effect.fnUntraced(function* (
  url: string
): Effect.fn.Return<KeyRing, never, HttpClient.HttpClient | Scope.Scope> {
  const where = baseOf(url)
  const { keys } = yield* HttpApiClient.make(AdminApi, { baseUrl: where })
  const asked = <A>(effect: Effect.Effect<A, { readonly _tag: string; readonly message: string }>) =>
    Effect.mapError(effect, (error) => new CommandFailed({ message: explain(where, error) }))
  const issued = (effect: Effect.Effect<VirtualKey & { readonly secret: string }, Failure>): Issued =>
    Effect.map(asked(effect), ({ secret, ...key }) => ({ key, secret }))
  return {
    where,
    isAsked: true,
    list: asked(Effect.map(keys.list(), ({ data }) => data)),
    create: (payload) => issued(keys.create({ payload })),
    rotate: (name, grace) =>
      issued(keys.rotate({ params: { name }, payload: { graceSeconds: Math.ceil(Duration.toSeconds(grace)) } })),
    change: (name, payload) => asked(keys.change({ params: { name }, payload })),
    remove: (name) => asked(keys.remove({ params: { name } }))
  }
})

type Failure = { readonly _tag: string; readonly message: string }

const explain = (where: string, error: Failure | HttpClientError.HttpClientError): string => {
  if (error._tag === "SchemaError") return `What answers at ${where} is no Millrace of this version.\nCheck the URL.`
  if (!("reason" in error)) return error.message
  const status = "response" in error.reason ? error.reason.response.status : undefined
  if (status === 401 || status === 403) {
    return `${where} does not take the key (${status}).\nShow the administrator's: --key, or MILLRACE_ADMIN_KEY.`
  }
  const what = status === undefined ? "nobody answers there" : `it answers with the status ${status}`
  return `${where} cannot be asked: ${what}\nCheck the URL, and whether the server runs.`
}
