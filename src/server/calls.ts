import { Clock, Effect, Stream } from "effect"
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

const readFailure = (error: StorageError | LlmError): LlmError =>
  error._tag === "LlmError" ? error : failure({ _tag: "AuditUnavailable" }, "The records cannot be read now")

const formats = ["json", ...exportFormats] as const

const format: Parameter<(typeof formats)[number]> = oneOf(formats)

const known = [...filterParameters, "limit", "cursor", "format"]

/** What a request asks for. Whoever has a key of their own sees the calls of no other. */
const askedOf = Effect.fnUntraced(function* ({
  parameters: query,
  principal
}: Match): Effect.fn.Return<CallQuery, LlmError> {
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
    return yield* Effect.mapError(audit.list(yield* askedOf(match)), readFailure)
  })
)

const calls: Handler = (exchange, match) => {
  const { query } = match
  const asked = exportFormats.find((name) => name === query.get("format"))
  return asked === undefined ? page(exchange, match) : sendExport(exchange, match, asked)
}

const mediaTypes = { jsonl: "application/jsonl", csv: "text/csv; header=present" }

/**
 * Writes all records that match, a page at a time: the next one is read when the caller has taken the one before. A
 * failure on the way breaks the connection off, so that a part is never taken for the whole.
 */
const sendExport = (exchange: Exchange, match: Match, format: ExportFormat) =>
  Effect.gen(function* () {
    const audit = yield* AuditTrail
    const { stallLimitMs } = yield* Settings
    const clock = yield* Clock.Clock
    const requestId = yield* requestIdOf(headersOf(exchange.request))
    const { dialect } = match.surface
    const writer = new ResponseWriter(
      exchange.response,
      () => ({
        "content-type": `${mediaTypes[format]}; charset=utf-8`,
        "content-disposition": `attachment; filename="calls.${format}"`,
        ...requestIdHeaders(dialect, requestId)
      }),
      () => clock.currentTimeMillisUnsafe()
    )
    const stalled = failure({ _tag: "Timeout", phase: "idle" }, "Nobody takes the records")
    const write = (text: string) =>
      Effect.timeoutOrElse(writer.write(text), { duration: stallLimitMs, orElse: () => stalled })
    // whoever asks for the head alone is told what comes to pass at the beginning
    const bound = exchange.request.method === "HEAD" ? { limit: 1 } : {}
    yield* Effect.flatMap(askedOf(match), (query) =>
      audit
        .pages({ ...query, ...bound, content: format === "csv" ? "none" : "all" })
        .pipe(exported(format), Stream.runForEach(write))
    ).pipe(
      Effect.andThen(Effect.sync(() => writer.end(""))),
      Effect.mapError(readFailure),
      Effect.catchCause((cause) =>
        Effect.map(explain(cause), (error) =>
          // where the head was sent this breaks off
          sendJson(exchange, dialect.renderError(error, requestId), requestIdHeaders(dialect, requestId))
        )
      )
    )
  })

const call = json(({ principal, rest }) =>
  Effect.gen(function* () {
    const audit = yield* AuditTrail
    const record = yield* Effect.mapError(audit.get(rest), readFailure)
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
