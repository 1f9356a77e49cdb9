import { Effect, type FileSystem, Option, Schema, Stream } from "effect"
import { HttpClient, type HttpClientError, HttpClientResponse } from "effect/http"
import type { AuditStore } from "../audit/AuditStore.ts"
import { CallRecord } from "../audit/CallRecord.ts"
import { exported, type ExportFormat } from "../audit/CallExport.ts"
import * as CallRecords from "../audit/CallRecords.ts"
import { follow } from "../audit/follow.ts"
import type { Configuration } from "../config/Configuration.ts"
import { formatStorageUrl } from "../config/Document.ts"
import { storeLayer } from "../config/layers.ts"
import { withTranscript } from "../server/recorded-request.ts"
import { baseOf } from "./asking.ts"
import type { ChosenCalls } from "./call-flags.ts"
import { CommandFailed, unusableStorage } from "./CommandFailed.ts"
import { isStored } from "./storage-file.ts"

/** Where the commands find the records of calls. `where` names the place to the user. */
export interface Records {
  readonly where: string
  /** newest first */
  readonly list: (query: ChosenCalls, limit: number) => Effect.Effect<ReadonlyArray<CallRecord>, CommandFailed>
  readonly get: (id: string) => Effect.Effect<CallRecord | undefined, CommandFailed>
  /** all that match, newest first, as text */
  readonly exported: (
    query: ChosenCalls,
    format: ExportFormat,
    limit: number | undefined
  ) => Stream.Stream<string | Uint8Array, CommandFailed>
  /** calls as they end from now on, or as they begin too, each as it is then */
  readonly follow: (query: ChosenCalls, from: "begun" | "ended") => Stream.Stream<CallRecord, CommandFailed>
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
  const isThere = yield* isStored(storage)
  const store = storeLayer(configuration)
  const unreadable = ({ message }: { readonly message: string }) =>
    new CommandFailed({ message: `The records in ${where} cannot be read: ${message}` })
  const unusable = unusableStorage(where)
  const read = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E, AuditStore>) =>
    effect.pipe(
      Effect.mapError(unreadable),
      Effect.provide(store),
      Effect.catchTag(["StorageError", "MigrationError"], (error) => unusable(error))
    )
  const stream = <A, E extends { readonly message: string }>(records: Stream.Stream<A, E, AuditStore>) =>
    records.pipe(
      Stream.mapError(unreadable),
      Stream.provide(store),
      Stream.catchTag(["StorageError", "MigrationError"], (error) => Stream.fail(unusable(error)))
    )
  return {
    where,
    list: ({ filter }, limit) =>
      isThere ? read(firstOf(CallRecords.pages({ ...filter, limit, content: "short" }))) : Effect.succeed([]),
    get: (id) =>
      Effect.map(isThere ? read(CallRecords.get(id)) : Effect.undefined, (call) => call && withTranscript(call)),
    exported: ({ filter }, format, limit) => {
      const content = format === "csv" ? "none" : "all"
      const pages = isThere ? CallRecords.pages({ ...filter, limit, content }) : Stream.succeed([])
      return stream(exported(format)(pages))
    },
    follow: ({ filter }, from) => {
      const kinds = from === "begun" ? (["Opened", "Final"] as const) : (["Final"] as const)
      return stream(Stream.map(follow({ filter, kinds, content: "short" }), ({ record }) => record))
    }
  }
})

/** Searching for a text, a page may have fewer than there are. */
const firstOf = <E, R>(pages: Stream.Stream<ReadonlyArray<CallRecord>, E, R>) =>
  Effect.map(Stream.runCollect(pages), (found) => found.flat())

/** A server at `base` gave no answer that can be used. */
export const unanswered = (base: string, error: HttpClientError.HttpClientError | Schema.SchemaError): CommandFailed =>
  new CommandFailed({
    message:
      error._tag === "SchemaError"
        ? `What answers at ${base} is no Millrace of this version.\nCheck the URL.`
        : `${base} cannot be asked: ${reasonOf(error)}\n${mendOf(error)}`
  })

const Page = Schema.Struct({ data: Schema.Array(CallRecord), nextCursor: Schema.optionalKey(Schema.String) })

const readLine = Schema.decodeEffect(Schema.fromJsonString(CallRecord))

const next = (asked: URLSearchParams, cursor: string | undefined): Option.Option<URLSearchParams> => {
  if (cursor === undefined) return Option.none()
  const following = new URLSearchParams(asked)
  following.set("cursor", cursor)
  return Option.some(following)
}

/** The records of a running server. */
export const serverRecords = Effect.fnUntraced(function* (
  url: string
): Effect.fn.Return<Records, CommandFailed, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const base = baseOf(url)
  const failed = (error: HttpClientError.HttpClientError | Schema.SchemaError) => unanswered(base, error)
  return {
    where: base,
    list: ({ query }, limit) =>
      Stream.paginate(new URLSearchParams([...query, ["limit", String(limit)]]), (asked) =>
        client.get(`${base}/v1/calls?${asked}`).pipe(
          Effect.flatMap(HttpClientResponse.filterStatusOk),
          Effect.flatMap(HttpClientResponse.schemaBodyJson(Page)),
          Effect.map(({ data, nextCursor }) => [data, next(asked, nextCursor)] as const)
        )
      ).pipe(Stream.take(limit), Stream.runCollect, Effect.mapError(failed)),
    exported: ({ query }, format, limit) => {
      const asked = new URLSearchParams([...query, ["format", format]])
      if (limit !== undefined) asked.set("limit", String(limit))
      return client.get(`${base}/v1/calls?${asked}`).pipe(
        Effect.flatMap(HttpClientResponse.filterStatusOk),
        Effect.map(({ stream }) => stream),
        Stream.unwrap,
        Stream.mapError(failed)
      )
    },
    follow: ({ query }, from) =>
      client.get(`${base}/v1/calls?${new URLSearchParams([...query, ["follow", from]])}`).pipe(
        Effect.flatMap(HttpClientResponse.filterStatusOk),
        Effect.map(({ stream }) => stream),
        Stream.unwrap,
        Stream.decodeText,
        Stream.splitLines,
        // An empty one says that the server is there.
        Stream.filter((line) => line !== ""),
        Stream.mapEffect((line) => readLine(line)),
        Stream.mapError(failed)
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

const mendOf = ({ reason }: HttpClientError.HttpClientError): string =>
  reason._tag === "StatusCodeError" && [401, 403].includes(reason.response.status)
    ? "Show a key: --key, or MILLRACE_ADMIN_KEY."
    : "Check the URL, and whether the server runs."

const reasonOf = ({ reason }: HttpClientError.HttpClientError): string =>
  reason._tag === "StatusCodeError" ? `it answers with the status ${reason.response.status}` : "nobody answers there"
