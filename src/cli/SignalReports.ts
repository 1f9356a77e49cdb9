import { Effect, type FileSystem, Schema } from "effect"
import { HttpClient, type HttpClientError, HttpClientResponse } from "effect/http"
import type { Configuration } from "../config/Configuration.ts"
import { formatStorageUrl } from "../config/Document.ts"
import { signalStoreLayer } from "../config/layers.ts"
import { SignalReport } from "../signals/SignalReport.ts"
import { type SignalFilter, SignalStore } from "../signals/SignalStore.ts"
import type { StorageError } from "../storage/Database.ts"
import { baseOf } from "./asking.ts"
import { CommandFailed, unusableStorage } from "./CommandFailed.ts"
import { unanswered } from "./Records.ts"
import { isStored } from "./storage-file.ts"

type Reports = Effect.Effect<ReadonlyArray<SignalReport>, CommandFailed>

/** Where the commands find signals. `where` names the place to the user. */
export interface SignalReports {
  readonly where: string
  /** newest first */
  readonly list: (filter: SignalFilter, limit: number) => Reports
  readonly sample: (filter: SignalFilter, size: number, seed: number) => Reports
  readonly get: (call: string) => Effect.Effect<SignalReport | undefined, CommandFailed>
}

/** The signals in the configured database, which a server may be writing. */
export const databaseReports = Effect.fnUntraced(function* (
  configuration: Configuration
): Effect.fn.Return<SignalReports, CommandFailed, FileSystem.FileSystem> {
  const { storage } = configuration
  if (storage._tag === "Memory") {
    return yield* new CommandFailed({
      message:
        "The configuration keeps signals in the memory of the server.\nAsk the server: --url http://127.0.0.1:8787"
    })
  }
  const where = storage._tag === "Sqlite" ? storage.filename : formatStorageUrl(storage)
  if (!(yield* isStored(storage))) {
    return { where, list: () => Effect.succeed([]), sample: () => Effect.succeed([]), get: () => Effect.undefined }
  }
  const read = <A>(use: (store: SignalStore["Service"]) => Effect.Effect<A, StorageError>) =>
    Effect.flatMap(SignalStore, use).pipe(
      Effect.mapError(
        ({ message }) => new CommandFailed({ message: `The signals in ${where} cannot be read: ${message}` })
      ),
      Effect.provide(signalStoreLayer(configuration)),
      Effect.catchTag(["StorageError", "MigrationError"], (error) => unusableStorage(where)(error))
    )
  return {
    where,
    list: (filter, limit) => read(({ list }) => list(filter, limit, undefined)),
    sample: (filter, size, seed) => read(({ sample }) => sample(filter, size, seed)),
    get: (call) => read(({ get }) => get(call))
  }
})

const Page = Schema.Struct({ data: Schema.Array(SignalReport) })

const queryOf = (filter: SignalFilter, more: { readonly [name: string]: number }): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...filter, ...more })) {
    if (value !== undefined) query.set(name, String(value))
  }
  return query.toString()
}

/** The signals of a running server. */
export const serverReports = Effect.fnUntraced(function* (
  url: string
): Effect.fn.Return<SignalReports, never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const base = baseOf(url)
  const failed = (error: HttpClientError.HttpClientError | Schema.SchemaError) => unanswered(base, error)
  const page = (query: string): Reports =>
    client
      .get(`${base}/v1/signals?${query}`)
      .pipe(
        Effect.flatMap(HttpClientResponse.filterStatusOk),
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Page)),
        Effect.mapBoth({ onSuccess: ({ data }) => data, onFailure: failed })
      )
  return {
    where: base,
    list: (filter, limit) => page(queryOf(filter, { limit })),
    sample: (filter, sample, seed) => page(queryOf(filter, { sample, seed })),
    get: (call) =>
      client.get(`${base}/v1/signals/${encodeURIComponent(call)}`).pipe(
        Effect.flatMap((response) =>
          response.status === 404
            ? Effect.undefined
            : Effect.flatMap(
                HttpClientResponse.filterStatusOk(response),
                HttpClientResponse.schemaBodyJson(SignalReport)
              )
        ),
        Effect.mapError(failed)
      )
  }
})
