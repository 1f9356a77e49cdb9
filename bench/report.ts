/** What the runs come to, as a table per scenario. */
import { chunksPerCall, type Run } from "./measure.ts"
import type { Scenario } from "./scenarios.ts"

export interface GatewayRuns {
  readonly name: string
  /** One a round, so that runs of the same index stood side by side in time. */
  readonly runs: ReadonlyArray<Run>
}

export interface ScenarioRuns {
  readonly scenario: Scenario
  readonly gateways: ReadonlyArray<GatewayRuns>
}

export const baselines = ["raw", "raw-tap", "raw-record", "raw-xform"] as const

export type Baseline = (typeof baselines)[number]

export interface Summary {
  readonly name: string
  readonly cpuMicrosPerCall: number
  readonly cpuMicrosPerCallRange: readonly [number, number]
  readonly cpuMicrosPerChunk: number | undefined
  /** Median of the ratios of CPU per call within each round. */
  readonly ratioTo: Readonly<Partial<Record<Baseline, number>>>
  readonly callsPerSecond: number
  readonly callP50Micros: number
  readonly callP99Micros: number
  readonly chunkP50Micros: number | undefined
  readonly chunkP99Micros: number | undefined
  /** Median chunk latency over that of `raw`. */
  readonly addedChunkMicros: number | undefined
  readonly residentBytes: number
  readonly failed: number
  readonly firstFailure: string | undefined
}

/** Of the values that are known, the mean of the two in the middle where their number is even. */
export const median = (values: ReadonlyArray<number | undefined>): number | undefined => {
  const known = values.filter((value) => value !== undefined).toSorted((a, b) => a - b)
  const upper = known[Math.floor(known.length / 2)]
  const lower = known[Math.floor((known.length - 1) / 2)]
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2
}

const failures = (runs: ReadonlyArray<Run>): number => runs.reduce((sum, run) => sum + run.failed, 0)

/** None where answers were wrong on either side: an error is cheap to send, and would look like speed. */
const ratio = (runs: ReadonlyArray<Run>, to: GatewayRuns | undefined): number | undefined =>
  to && failures(runs) + failures(to.runs) === 0
    ? median(runs.map((run, round) => run.cpuMicrosPerCall / (to.runs[round]?.cpuMicrosPerCall ?? Number.NaN)))
    : undefined

const summarizeGateway = ({ gateways, scenario }: ScenarioRuns, { name, runs }: GatewayRuns): Summary => {
  const of = (pick: (run: Run) => number) => median(runs.map(pick)) ?? Number.NaN
  const cpu = runs.map((run) => run.cpuMicrosPerCall)
  const chunks = chunksPerCall(scenario)
  const chunkP50Micros = median(runs.map((run) => run.chunkP50Micros))
  const rawChunkP50 = median(
    gateways.find((gateway) => gateway.name === "raw")?.runs.map((run) => run.chunkP50Micros) ?? []
  )
  const ratios = baselines.flatMap((baseline) => {
    const value = ratio(
      runs,
      gateways.find((gateway) => gateway.name === baseline)
    )
    return value === undefined ? [] : [[baseline, value] as const]
  })
  return {
    name,
    cpuMicrosPerCall: of((run) => run.cpuMicrosPerCall),
    cpuMicrosPerCallRange: [Math.min(...cpu), Math.max(...cpu)],
    cpuMicrosPerChunk: chunks && of((run) => run.cpuMicrosPerCall) / chunks,
    ratioTo: Object.fromEntries(ratios),
    callsPerSecond: of((run) => run.callsPerSecond),
    callP50Micros: of((run) => run.callP50Micros),
    callP99Micros: of((run) => run.callP99Micros),
    chunkP50Micros,
    chunkP99Micros: median(runs.map((run) => run.chunkP99Micros)),
    addedChunkMicros:
      chunkP50Micros !== undefined && rawChunkP50 !== undefined ? chunkP50Micros - rawChunkP50 : undefined,
    residentBytes: Math.max(...runs.map((run) => run.residentBytes)),
    failed: failures(runs),
    firstFailure: runs.find((run) => run.firstFailure !== undefined)?.firstFailure
  }
}

export const summarize = (measured: ScenarioRuns): ReadonlyArray<Summary> =>
  measured.gateways.map((gateway) => summarizeGateway(measured, gateway))

/** A number for a cell, empty where it is not known. */
export const number = (value: number | undefined, digits = 0): string =>
  value === undefined || Number.isNaN(value) ? "" : value.toFixed(digits)

export type Column<Row> = readonly [header: string, cell: (row: Row) => string]

const columns: ReadonlyArray<Column<Summary>> = [
  ["gateway", ({ name }) => name],
  ["CPU µs/call", ({ cpuMicrosPerCall }) => number(cpuMicrosPerCall)],
  ["range", ({ cpuMicrosPerCallRange: [low, high] }) => `${number(low)}-${number(high)}`],
  ["µs/chunk", ({ cpuMicrosPerChunk }) => number(cpuMicrosPerChunk, 2)],
  ...baselines.map((name): Column<Summary> => [`x ${name}`, ({ ratioTo }) => number(ratioTo[name], 2)]),
  ["calls/s", ({ callsPerSecond }) => number(callsPerSecond)],
  ["p50 ms", ({ callP50Micros }) => number(callP50Micros / 1000, 1)],
  ["p99 ms", ({ callP99Micros }) => number(callP99Micros / 1000, 1)],
  ["chunk p50 µs", ({ chunkP50Micros }) => number(chunkP50Micros)],
  ["chunk p99 µs", ({ chunkP99Micros }) => number(chunkP99Micros)],
  ["added µs", ({ addedChunkMicros }) => number(addedChunkMicros)],
  ["RSS MB", ({ residentBytes }) => number(residentBytes / 2 ** 20)],
  ["failed", ({ failed }) => (failed === 0 ? "" : String(failed))]
]

/** A Markdown table, columns that would be empty left out. */
export const markdownTable = <Row>(columns: ReadonlyArray<Column<Row>>, rowsOf: ReadonlyArray<Row>): string => {
  const filled = columns
    .map(([header, cell]) => [header, ...rowsOf.map(cell)])
    .filter(([, ...cells]) => cells.some((cell) => cell !== ""))
    .map((cells) => {
      const width = Math.max(...cells.map((cell) => cell.length))
      return cells.map((cell) => cell.padStart(width))
    })
  const rows = [0, ...rowsOf.map((_, index) => index + 1)].map(
    (row) => `| ${filled.map((cells) => cells[row]).join(" | ")} |`
  )
  const rule = `|${filled.map(([header = ""]) => `${"-".repeat(header.length + 1)}:`).join("|")}|`
  return [rows[0], rule, ...rows.slice(1)].join("\n")
}

/** The table of a scenario, with the first failure of each gateway below it. */
export const table = (summaries: ReadonlyArray<Summary>): string => {
  const reasons = summaries.flatMap(({ firstFailure, name }) => (firstFailure ? [`${name}: ${firstFailure}`] : []))
  return [markdownTable(columns, summaries), ...reasons].join("\n")
}
