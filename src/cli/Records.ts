import { Effect, FileSystem, Schema } from "effect"
import { HttpClient, type HttpClientError, HttpClientResponse } from "effect/http"
import type { AuditStore } from "../audit/AuditStore.ts"
import { CallRecord } from "../audit/CallRecord.ts"
import * as CallRecords from "../audit/CallRecords.ts"
import type { Configuration } from "../config/Configuration.ts"
import { formatStorageUrl } from "../config/Document.ts"
import { storeLayer } from "../config/layers.ts"
import { baseOf } from "./asking.ts"
import { CommandFailed, unusableStorage } from "./CommandFailed.ts"

/** Where the commands find the records of calls. `where` names the place to the user. */
export interface Records {
  readonly where: string
  /** newest first */
  readonly list: (limit: number) => Effect.Effect<ReadonlyArray<CallRecord>, CommandFailed>
  readonly get: (id: string) => Effect.Effect<CallRecord | undefined, CommandFailed>
}

/** The records of the configured database, which a server may be writing. */
export const databaseRecords = Effect.fnUntraced(function* (
  configuration: Configuration
): Effect.fn.Return<Records, CommandFailed, FileSystem.FileSystem> {
  const { storage } = configuration
  if (storage._tag === "Memory") {
    return yield* new CommandFailed({
      message:
        "The configuration keeps records in the memory of the server.\nAsk the server: --url http://127.0.0.1:8787"
    })
  }
  const where = storage._tag === "Sqlite" ? storage.filename : formatStorageUrl(storage)
  const files = yield* FileSystem.FileSystem
  // Opening would make the file.
  if (storage._tag === "Sqlite" && !(yield* Effect.orElseSucceed(files.exists(where), () => false))) {
    return { where, list: () => Effect.succeed([]), get: () => Effect.undefined }
  }
  const read = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E, AuditStore>) =>
    effect.pipe(
      Effect.mapError(
        ({ message }) => new CommandFailed({ message: `The records in ${where} cannot be read: ${message}` })
      ),
      Effect.provide(storeLayer(configuration)),
      Effect.catchTag(["StorageError", "MigrationError"], (error) => unusableStorage(where)(error))
    )
  return {
    where,
    list: (limit) => read(Effect.map(CallRecords.list({ limit }), ({ data }) => data)),
    get: (id) => read(CallRecords.get(id))
  }
})

/** A server at `base` gave no answer that can be used. */
export const unanswered = (base: string, error: HttpClientError.HttpClientError | Schema.SchemaError): CommandFailed =>
  new CommandFailed({
    message:
      error._tag === "SchemaError"
        ? `What answers at ${base} is no Millrace of this version.\nCheck the URL.`
        : `${base} cannot be asked: ${reasonOf(error)}\nCheck the URL, and whether the server runs.`
  })

const Page = Schema.Struct({ data: Schema.Array(CallRecord) })

/** The records of a running server. */
export const serverRecords = Effect.fnUntraced(function* (
  url: string
): Effect.fn.Return<Records, CommandFailed, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const base = baseOf(url)
  const failed = (error: HttpClientError.HttpClientError | Schema.SchemaError) => unanswered(base, error)
  return {
    where: base,
    list: (limit) =>
      client
        .get(`${base}/v1/calls?limit=${limit}`)
        .pipe(
          Effect.flatMap(HttpClientResponse.filterStatusOk),
          Effect.flatMap(HttpClientResponse.schemaBodyJson(Page)),
          Effect.mapBoth({ onSuccess: ({ data }) => data, onFailure: failed })
        ),
    get: (id) =>
      client.get(`${base}/v1/calls/${encodeURIComponent(id)}`).pipe(
        Effect.flatMap((response) =>
          response.status === 404
            ? Effect.undefined
            : Effect.flatMap(HttpClientResponse.filterStatusOk(response), HttpClientResponse.schemaBodyJson(CallRecord))
        ),
        Effect.mapError(failed)
      )
  }
})

const reasonOf = ({ reason }: HttpClientError.HttpClientError): string =>
  reason._tag === "StatusCodeError" ? `it answers with the status ${reason.response.status}` : "nobody answers there"
