import { Clock, Effect, Schedule, Stream } from "effect"
import { ownName } from "../accounting/Access.ts"
import { AuditTrail } from "../audit/AuditTrail.ts"
import { exported, type ExportFormat, exportFormats } from "../audit/CallExport.ts"
import type { CallQuery } from "../audit/CallRecords.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { Engine } from "../engine/Engine.ts"
import type { StorageError } from "../storage/Database.ts"
import { callFilterOf, filterParameters } from "./call-query.ts"
import { explain } from "./explain.ts"
import { sendJson } from "./Generate.ts"
import { checkParameters, oneOf, type Parameter, parameter, whole } from "./parameters.ts"
import { withTranscript } from "./recorded-request.ts"
import { type Exchange, headersOf, requestIdHeaders, requestIdOf } from "./requests.ts"
import { ResponseWriter } from "./ResponseWriter.ts"
import { type Handler, json, type Match, notFound, type Route } from "./Route.ts"
import { Settings } from "./Settings.ts"

/** Callers are not told why records cannot be read; whoever runs the server is. */
const told = <A, R>(reading: Effect.Effect<A, StorageError | LlmError, R>): Effect.Effect<A, LlmError, R> =>
  Effect.catchTag(reading, "StorageError", (error) =>
    Effect.andThen(
      Effect.logWarning("The records of calls cannot be read", error),
      failure({ _tag: "AuditUnavailable" }, "The records cannot be read now")
    )
  )

const formats = ["json", ...exportFormats] as const

const format: Parameter<(typeof formats)[number]> = oneOf(formats)

const listParameters = [...filterParameters, "limit", "cursor", "format"]
const followParameters = [...filterParameters, "follow"]

/** What a request asks for. Whoever has a key of their own sees the calls of no other. */
const askedOf = Effect.fnUntraced(function* (
  { parameters: query, principal }: Match,
  known: ReadonlyArray<string> = listParameters
): Effect.fn.Return<CallQuery, LlmError> {
  yield* checkParameters(query, known)
  const filter = yield* callFilterOf(query)
  return {
    ...filter,
    key: ownName(principal) ?? filter.key,
    limit: yield* parameter(query, "limit", whole("; at most 100 records come at a time")),
    cursor: query.get("cursor") ?? undefined
  }
})

const page = json((match) =>
  Effect.gen(function* () {
    const audit = yield* AuditTrail
    yield* parameter(match.parameters, "format", format)
    return yield* told(audit.list(yield* askedOf(match)))
  })
)

const calls: Handler = (exchange, match) => {
  const { query } = match
  if (query.has("follow")) return sendFollowed(exchange, match)
  const asked = exportFormats.find((name) => name === query.get("format"))
  return asked === undefined ? page(exchange, match) : sendExport(exchange, match, asked)
}

const mediaTypes = { jsonl: "application/jsonl", csv: "text/csv; header=present" }

/** Where text goes that is written as it comes. */
interface Output {
  readonly writer: ResponseWriter
  /** suspends while the caller does not take what there is, and fails where that takes too long */
  readonly write: (text: string) => Effect.Effect<void, LlmError>
}

/**
 * Writes an answer bit by bit. A failure before the first bit is told; one on the way breaks the connection off, so that a
 * part is never taken for the whole.
 */
const sendText = (
  exchange: Exchange,
  { surface: { dialect } }: Match,
  headers: { readonly "content-type": string; readonly "content-disposition"?: string },
  text: (output: Output) => Effect.Effect<void, StorageError | LlmError, AuditTrail>
) =>
  Effect.gen(function* () {
    const { stallLimitMs } = yield* Settings
    const clock = yield* Clock.Clock
    const requestId = yield* requestIdOf(headersOf(exchange.request))
    const writer = new ResponseWriter(
      exchange.response,
      () => ({ ...headers, ...requestIdHeaders(dialect, requestId) }),
      () => clock.currentTimeMillisUnsafe()
    )
    const stalled = failure({ _tag: "Timeout", phase: "idle" }, "Nobody takes the records")
    const write = (text: string) =>
      Effect.timeoutOrElse(writer.write(text), { duration: stallLimitMs, orElse: () => stalled })
    yield* text({ writer, write }).pipe(
      Effect.andThen(Effect.sync(() => writer.end(""))),
      told,
      Effect.catchCause((cause) =>
        Effect.map(explain(cause), (error) =>
          // where the head was sent this breaks off
          sendJson(exchange, dialect.renderError(error, requestId), requestIdHeaders(dialect, requestId))
        )
      )
    )
  })

/** Writes all records that match, a page at a time: the next one is read when the caller has taken the one before. */
const sendExport = (exchange: Exchange, match: Match, format: ExportFormat) => {
  const headers = {
    "content-type": `${mediaTypes[format]}; charset=utf-8`,
    "content-disposition": `attachment; filename="calls.${format}"`
  }
  // whoever asks for the head alone is told what comes to pass at the beginning
  const bound = exchange.request.method === "HEAD" ? { limit: 1 } : {}
  return sendText(exchange, match, headers, ({ write }) =>
    Effect.gen(function* () {
      const audit = yield* AuditTrail
      const query = yield* askedOf(match)
      yield* audit
        .pages({ ...query, ...bound, content: format === "csv" ? "none" : "all" })
        .pipe(exported(format), Stream.runForEach(write))
    })
  )
}

/** What is told of calls: that they end, or that they begin too. */
const followed = oneOf(["ended", "begun"])

/** Writes records as calls end, a line each, until the caller leaves; an empty line says that the connection lives. */
const sendFollowed = (exchange: Exchange, match: Match) =>
  sendText(exchange, match, { "content-type": `${mediaTypes.jsonl}; charset=utf-8` }, ({ write, writer }) =>
    Effect.gen(function* () {
      const audit = yield* AuditTrail
      const { keepAliveMs } = yield* Settings
      const filter = yield* askedOf(match, followParameters)
      const from = yield* parameter(match.parameters, "follow", followed)
      const kinds = from === "begun" ? (["Opened", "Final"] as const) : (["Final"] as const)
      const happenings = yield* audit.follow({ filter, kinds, content: "short" })
      if (exchange.request.method === "HEAD") return
      const alive = Effect.sync(() => writer.keepAlive("\n"))
      const lines = Stream.runForEach(happenings, ({ record }) => write(`${JSON.stringify(record)}\n`))
      yield* Effect.raceFirst(lines, Effect.repeat(alive, Schedule.spaced(keepAliveMs)))
    })
  )

const call = json(({ principal, rest }) =>
  Effect.gen(function* () {
    const audit = yield* AuditTrail
    const record = yield* told(audit.get(rest))
    const own = ownName(principal)
    const isSeen = record !== undefined && (own === undefined || record.caller.key === own)
    return isSeen ? withTranscript(record) : yield* notFound(`There is no call ${JSON.stringify(rest)}`)
  })
)

const cancelSuffix = "/cancel"

const cancelCall = json(({ principal, rest }) =>
  Effect.gen(function* () {
    const id = rest.slice(0, -cancelSuffix.length)
    const engine = yield* Engine
    if (!rest.endsWith(cancelSuffix) || !(yield* engine.cancel(id, ownName(principal)))) {
      return yield* notFound(`There is no open call ${JSON.stringify(id)}`)
    }
    return { id, cancelled: true }
  })
)

/** The records of calls. Whoever has a key reads and cancels the calls that were made with it. */
export const callRoutes: ReadonlyArray<Route> = [
  { method: "GET", path: "/v1/calls", handle: calls },
  { method: "GET", path: "/v1/calls/*", handle: call },
  { method: "POST", path: "/v1/calls/*", handle: cancelCall }
]
