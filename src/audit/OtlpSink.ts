import { Clock, Effect, Layer, Redacted, Result, Schema } from "effect"
import { HttpClient, type HttpClientError, HttpClientRequest } from "effect/http"
import { OtlpResource } from "effect/observability"
import { type Finding, withoutExcerpts } from "../domain/Call.ts"
import { systemCodeOf } from "../domain/system-code.ts"
import { type AuditSink, AuditSinkError, AuditSinks } from "./AuditSink.ts"
import type { AuditRow } from "./AuditStore.ts"
import type { Payload } from "./Capture.ts"

/** Where log records go, and what they hold. */
export interface OtlpOptions {
  /** The collector: `http://127.0.0.1:4318`; `/v1/logs` is appended, unless it ends so. */
  readonly endpoint: string
  readonly headers?: { readonly [name: string]: Redacted.Redacted }
  /** Whether requests and answers go along, where they are captured. Default false. */
  readonly content?: boolean
}

const info = { severityNumber: 9, severityText: "INFO" }
const failed = { severityNumber: 17, severityText: "ERROR" }

const nanosOf = (millis: number): string => `${BigInt(Math.trunc(millis)) * 1_000_000n}`

const attributesOf = (row: AuditRow, content: boolean): ReadonlyArray<[string, string | null]> =>
  row._tag === "Opened"
    ? [
        ["millrace.call.id", row.id],
        ["gen_ai.request.model", row.model],
        ["millrace.request.id", row.requestId],
        ["millrace.key", row.key],
        ["gen_ai.conversation.id", row.conversation],
        ["millrace.request", content ? row.request : null]
      ]
    : [
        ["millrace.call.id", row.id],
        ["millrace.outcome", row.outcome],
        ["millrace.response", content ? row.response : null]
      ]

/** A body, as far as pieces of what was said stand in it. */
interface Said {
  readonly request?: Payload
  readonly response?: Payload
  readonly findings?: ReadonlyArray<Finding>
}

const bare = ({ bytes, sha256 }: Payload) => ({ bytes, sha256 })

/** A body without excerpts of what is long or was found, and without the text and the tool calls of a long answer. */
const withoutPieces = ({ findings, request, response, ...body }: Said) => ({
  ...body,
  ...(request === undefined ? {} : { request: bare(request) }),
  ...(response === undefined ? {} : { response: bare(response) }),
  ...(findings === undefined ? {} : { findings: withoutExcerpts(findings) })
})

const bodyOf = (row: AuditRow, content: boolean): unknown => {
  // bodies were written as JSON
  const body: Said = JSON.parse(row.body)
  return content ? body : withoutPieces(body)
}

const logRecord = (row: AuditRow, content: boolean, observedAt: number) => ({
  timeUnixNano: nanosOf(row._tag === "Opened" ? row.openedAt : row.endedAt),
  observedTimeUnixNano: nanosOf(observedAt),
  ...(row._tag === "Final" && row.outcome === "Failed" ? failed : info),
  eventName: row._tag === "Opened" ? "millrace.call.opened" : "millrace.call.ended",
  body: OtlpResource.unknownToAttributeValue(bodyOf(row, content)),
  attributes: OtlpResource.entriesToAttributes(attributesOf(row, content).filter(([, value]) => value !== null)),
  droppedAttributesCount: 0
})

/** What a collector says of what it will never take: malformed, too large. Of anything else it may think better. */
const refusals: ReadonlyArray<number> = [400, 413, 422]

const isRefused = ({ reason }: HttpClientError.HttpClientError): boolean =>
  reason._tag === "StatusCodeError" && refusals.includes(reason.response.status)

/** What a collector says that took some and not others. A 64-bit number is a text in its JSON. */
const decodeAnswer = Schema.decodeUnknownResult(
  Schema.fromJsonString(
    Schema.Struct({
      partialSuccess: Schema.Struct({
        rejectedLogRecords: Schema.Union([Schema.Natural, Schema.FiniteFromString]),
        errorMessage: Schema.optionalKey(Schema.String)
      })
    })
  )
)

/** What the system says in more words may hold what stands in the URL. */
const withCode = (message: string, cause: unknown): string => {
  const code = systemCodeOf(cause)
  return code === "" ? message : `${message}: ${code}`
}

const silent = Effect.fail(new AuditSinkError({ message: "The collector does not answer within 10 seconds" }))

/** A sink that sends every record to an OpenTelemetry collector as a log record. */
export const make = Effect.fnUntraced(function* ({
  content = false,
  endpoint,
  headers = {}
}: OtlpOptions): Effect.fn.Return<AuditSink, never, HttpClient.HttpClient> {
  const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
  const resource = yield* OtlpResource.fromConfig({ serviceName: "millrace" })
  const url = endpoint.replace(/(?:\/v1\/logs)?\/*$/, "/v1/logs")
  const shown = Object.entries(headers).map(([name, value]) => [name, Redacted.value(value)] as const)
  const send = Effect.fnUntraced(function* (rows: ReadonlyArray<AuditRow>) {
    const now = yield* Clock.currentTimeMillis
    const logRecords = rows.map((row) => logRecord(row, content, now))
    const scopeLogs = [{ scope: { name: "millrace.audit" }, logRecords }]
    const request = HttpClientRequest.post(url, { headers: Object.fromEntries(shown) }).pipe(
      HttpClientRequest.bodyJsonUnsafe({ resourceLogs: [{ resource, scopeLogs }] })
    )
    const text = yield* Effect.flatMap(client.execute(request), (response) => response.text).pipe(
      Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => silent })
    )
    const answer = decodeAnswer(text)
    const { errorMessage: message, rejectedLogRecords: refused } = Result.isSuccess(answer)
      ? answer.success.partialSuccess
      : { rejectedLogRecords: 0, errorMessage: undefined }
    if (refused > 0)
      yield* Effect.logWarning(`The audit sink ${url} refuses records, which are left out`, { refused, message })
    return refused
  })
  /** Of records that are refused together those are found that are refused alone, so that these do not hold up the rest. */
  const write = (rows: ReadonlyArray<AuditRow>): Effect.Effect<number, AuditSinkError> =>
    Effect.catch(send(rows), (error) => {
      if (error._tag === "AuditSinkError") return Effect.fail(error)
      const { message } = error
      if (!isRefused(error)) return Effect.fail(new AuditSinkError({ message: withCode(message, error.reason.cause) }))
      const [row, ...others] = rows
      if (row === undefined || others.length === 0) {
        const told = Effect.logWarning(`The audit sink ${url} refuses a record, which is left out`, {
          id: row?.id,
          message
        })
        return Effect.as(told, rows.length)
      }
      const half = Math.ceil(rows.length / 2)
      return Effect.zipWith(write(rows.slice(0, half)), write(rows.slice(half)), (one, other) => one + other)
    })
  return { name: url, write }
})

/** Sends records to an OpenTelemetry collector too, as JSON over HTTP. */
export const layer = (options: OtlpOptions): Layer.Layer<never, never, HttpClient.HttpClient> =>
  Layer.effect(
    AuditSinks,
    Effect.gen(function* () {
      return [...(yield* AuditSinks), yield* make(options)]
    })
  )
