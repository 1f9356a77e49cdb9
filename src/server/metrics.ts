import { Effect } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { Ledger } from "../accounting/Ledger.ts"
import { type AuditStats, AuditTrail } from "../audit/AuditTrail.ts"
import { Engine } from "../engine/Engine.ts"
import type { TargetStatus } from "../routing/TargetStates.ts"
import { targetStatuses } from "./admin/targets.ts"
import { headersOf, requestIdOf } from "./requests.ts"
import type { Route } from "./Route.ts"

type Metric = readonly [name: string, type: "counter" | "gauge", help: string, read: (status: TargetStatus) => number]

const ofTargets: ReadonlyArray<Metric> = [
  ["millrace_target_attempts_total", "counter", "Requests to a target.", ({ attempts }) => attempts],
  ["millrace_target_failures_total", "counter", "Requests to a target that failed.", ({ failures }) => failures],
  ["millrace_target_in_flight", "gauge", "Requests that a target answers now.", ({ inFlight }) => inFlight],
  ["millrace_target_queued", "gauge", "Calls that wait for a place at a target.", ({ queued }) => queued],
  [
    "millrace_target_latency_ms",
    "gauge",
    "Time to the first content, averaged over what did not fail.",
    ({ latencyMs }) => latencyMs
  ],
  [
    "millrace_target_circuit_open",
    "gauge",
    "Whether nobody asks the target.",
    ({ circuit }) => (circuit.state === "open" ? 1 : 0)
  ],
  ["millrace_target_circuit_openings_total", "counter", "How often that began.", ({ circuit }) => circuit.openings],
  [
    "millrace_target_resting",
    "gauge",
    "Whether the target asked to be left alone.",
    ({ restUntil }) => (restUntil === undefined ? 0 : 1)
  ]
]

type RecordsMetric = readonly [
  name: string,
  type: "counter" | "gauge",
  help: string,
  read: (stats: AuditStats) => number
]

const ofRecords: ReadonlyArray<RecordsMetric> = [
  ["millrace_records_queued", "gauge", "Records that wait for the database.", ({ queued }) => queued],
  ["millrace_records_running", "gauge", "Calls whose end is not yet recorded.", ({ running }) => running],
  [
    "millrace_records_refused_total",
    "counter",
    "Calls that were refused because they could not be recorded.",
    ({ refused }) => refused
  ],
  [
    "millrace_records_served_unrecorded_total",
    "counter",
    "Calls that were served before, or without ever, being recorded.",
    ({ servedUnrecorded }) => servedUnrecorded
  ],
  [
    "millrace_records_ended_unrecorded_total",
    "counter",
    "Answers whose end was sent before its record was written, against strict durability.",
    ({ endedUnrecorded }) => endedUnrecorded
  ],
  ["millrace_records_lost_total", "counter", "Records that the database refused for good.", ({ lost }) => lost],
  [
    "millrace_records_missed_total",
    "counter",
    "Records that a sink did not get; the database has them.",
    ({ missed }) => missed
  ],
  [
    "millrace_records_recovered_total",
    "counter",
    "Calls of dead processes that were ended as Interrupted.",
    ({ recovered }) => recovered
  ]
]

/** What is counted of the records of calls, in the text format of Prometheus. */
const renderRecords = (stats: AuditStats): string =>
  ofRecords
    .map(([name, type, help, read]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${read(stats)}\n`)
    .join("")

const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const labels = ({ provider, model, key = "" }: TargetStatus): string =>
  `{provider="${escaped(provider)}",model="${escaped(model)}",key="${escaped(key)}"}`

/** The text format of Prometheus. */
const renderMetrics = (open: number, refused: number, targets: ReadonlyArray<TargetStatus>): string => {
  const lines = ["# HELP millrace_calls_open Calls that are being answered.", "# TYPE millrace_calls_open gauge"]
  lines.push(`millrace_calls_open ${open}`)
  lines.push("# HELP millrace_calls_limited_total Calls that were refused by a limit.")
  lines.push("# TYPE millrace_calls_limited_total counter", `millrace_calls_limited_total ${refused}`)
  for (const [name, type, help, read] of ofTargets) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const target of targets) lines.push(`${name}${labels(target)} ${read(target)}`)
  }
  return `${lines.join("\n")}\n`
}

export const metricsRoute: Route = {
  method: "GET",
  path: "/metrics",
  audience: "admin",
  handle: ({ request, response }) =>
    Effect.gen(function* () {
      const ledger = yield* Effect.serviceOption(Ledger)
      const refused = ledger._tag === "Some" ? yield* ledger.value.refusals : 0
      const text = renderMetrics(yield* (yield* Engine).active, refused, yield* targetStatuses)
      const records = renderRecords(yield* (yield* AuditTrail).stats)
      const counted = yield* PrometheusMetrics.format()
      const requestId = yield* requestIdOf(headersOf(request))
      yield* Effect.sync(() =>
        response
          .writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8", "x-request-id": requestId })
          .end(text + records + counted)
      )
    })
}
