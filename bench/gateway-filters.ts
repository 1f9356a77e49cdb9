/**
 * Measures what filters cost a stream through `millrace serve`: the time to the first text, what is added to every chunk
 * until its last character is there, and CPU. The models differ in nothing but their filters and take turns.
 *
 *     node bench/gateway-filters.ts [--rounds 3] [--calls 50] [--concurrency 25]
 */
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Data, Effect } from "effect"
import { type Delays, delayCheck } from "./delays.ts"
import { runLoad } from "./load.ts"
import { quantile, settleTime } from "./measure.ts"
import { cpuMicros, type Service, startMillrace, startOwn, temporaryFolder } from "./processes.ts"
import { type Column, markdownTable, median, number } from "./report.ts"
import { type Scenario, requestBody } from "./scenarios.ts"
import { parseWorkload, pathOf } from "./workloads.ts"

const count = { type: "string" } as const
const { values: flags } = parseArgs({ options: { rounds: count, calls: count, concurrency: count } })
const rounds = Math.max(1, Number(flags.rounds) || 3)
const concurrency = Math.max(1, Number(flags.concurrency) || 25)
const calls = Math.max(concurrency, Number(flags.calls) || 50)

const scenario: Scenario = {
  name: "S3",
  title: "paced streams of JSON text, 50 chunks at 20 ms",
  client: "chat",
  upstream: "chat",
  workload: "paced-50x20ms-json",
  concurrency,
  calls
}
const workload = parseWorkload(scenario.workload)
if (workload?.kind !== "stream") throw new Error(`${scenario.workload} is no stream`)

const schema = { type: "object", properties: { text: { type: "string" } }, required: ["text"] }

/** How long a remote filter may keep a text to itself before it asks. */
const wait = 100

interface Variant {
  readonly title: string
  readonly filter?: object
  /** the longest that a chunk may be held back, in milliseconds, where the configuration says so */
  readonly bound?: number
}

/** The filters, by the name of the model that has them. */
const variants = (service: Service): { readonly [model: string]: Variant } => ({
  none: { title: "none" },
  email: { title: "`redact`, e-mail", filter: { kind: "redact", packs: ["email"] } },
  packs: { title: "`redact`, all packs", filter: { kind: "redact" } },
  words: { title: "`block`, three words", filter: { kind: "block", words: ["evil", "a bad word", "something else"] } },
  watch: { title: "`schema`", filter: { kind: "schema", schema } },
  remote: {
    title: `\`http\`, windows of 256 characters or ${wait} ms`,
    filter: { kind: "http", url: service.origin, on: ["answer"], mode: "window", characters: 256, wait: `${wait}ms` },
    bound: wait
  }
})

const configuration = (upstream: Service, chosen: ReturnType<typeof variants>) => ({
  providers: { bench: { protocol: "openai-chat", baseUrl: `${upstream.origin}/v1`, apiKey: "x" } },
  filters: Object.fromEntries(
    Object.entries(chosen).flatMap(([name, { filter }]) => (filter === undefined ? [] : [[name, filter]]))
  ),
  models: Object.fromEntries(
    Object.entries(chosen).map(([name, { filter }]) => [
      name,
      {
        targets: [{ provider: "bench", model: scenario.workload }],
        ...(filter === undefined ? {} : { filters: [name] })
      }
    ])
  )
})

interface Run {
  readonly cpuPerChunk: number
  readonly firstText: number
  readonly chunkP50: number
  readonly chunkP99: number
  readonly chunkMost: number
}

class WrongAnswers extends Data.TaggedError("WrongAnswers")<{ readonly message: string }> {}

const run = Effect.fnUntraced(function* (gateway: Service, model: string) {
  const delays: Delays = { firstText: [], wholeChunk: [] }
  const before = yield* cpuMicros(gateway)
  const { failed, firstFailure } = yield* runLoad({
    origin: gateway.origin,
    path: pathOf.chat,
    body: requestBody(scenario, model),
    concurrency: scenario.concurrency,
    calls,
    check: delayCheck(workload, delays)
  })
  if (failed > 0) return yield* new WrongAnswers({ message: `${failed} answers of ${model}: ${firstFailure}` })
  yield* Effect.sleep(settleTime)
  const measured: Run = {
    cpuPerChunk: ((yield* cpuMicros(gateway)) - before) / calls / workload.chunks,
    firstText: quantile(delays.firstText, 0.5),
    chunkP50: quantile(delays.wholeChunk, 0.5),
    chunkP99: quantile(delays.wholeChunk, 0.99),
    chunkMost: quantile(delays.wholeChunk, 1)
  }
  return measured
})

interface Row {
  readonly title: string
  readonly bound: number | undefined
  readonly of: (pick: (run: Run) => number) => number
  /** over the run without filters of the same round */
  readonly added: (pick: (run: Run) => number) => number
}

const rowOf = ({ bound, title }: Variant, runs: ReadonlyArray<Run>, plain: ReadonlyArray<Run>): Row => ({
  title,
  bound,
  of: (pick) => median(runs.map(pick)) ?? Number.NaN,
  added: (pick) =>
    median(runs.map((run, round) => pick(run) - (plain[round] === undefined ? Number.NaN : pick(plain[round])))) ??
    Number.NaN
})

const milliseconds = (micros: number): string => number(micros / 1000, 2)

const columns: ReadonlyArray<Column<Row>> = [
  ["filter", ({ title }) => title],
  [
    "CPU µs/chunk",
    ({ of }) =>
      number(
        of((run) => run.cpuPerChunk),
        1
      )
  ],
  [
    "added",
    ({ added }) =>
      number(
        added((run) => run.cpuPerChunk),
        1
      )
  ],
  ["first text ms", ({ of }) => milliseconds(of((run) => run.firstText))],
  ["chunk p50 ms", ({ of }) => milliseconds(of((run) => run.chunkP50))],
  ["added p50", ({ added }) => milliseconds(added((run) => run.chunkP50))],
  ["added p99", ({ added }) => milliseconds(added((run) => run.chunkP99))],
  ["most ms", ({ of }) => milliseconds(of((run) => run.chunkMost))],
  ["bound ms", ({ bound }) => number(bound)]
]

const program = Effect.gen(function* () {
  const load = loadavg()[0] ?? 0
  const folder = yield* temporaryFolder
  const upstream = yield* startOwn("upstream", "./upstream.ts", [])
  const service = yield* startOwn("filter", "./filter-service.ts", [])
  const chosen = variants(service)
  const gateway = yield* startMillrace(folder, configuration(upstream, chosen))
  const entries = Object.entries(chosen).map(([model, variant]) => ({ model, variant, runs: Array<Run>() }))
  for (const { model } of entries) yield* run(gateway, model)
  for (let round = 0; round < rounds; round++) {
    // Another one begins every round, so that none always comes after the same one.
    const first = round % entries.length
    const turn = [...entries.slice(first), ...entries.slice(0, first)]
    for (const { model, runs } of turn) runs.push(yield* run(gateway, model))
  }
  const plain = entries.find(({ variant }) => variant.filter === undefined)?.runs ?? []
  const rows = entries.map(({ runs, variant }) => rowOf(variant, runs, plain))
  process.stdout.write(
    `node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model}; load average ${load.toFixed(1)} before; ` +
      `${scenario.title}, ${calls} calls, ${scenario.concurrency} at a time; median of ${rounds} rounds\n\n` +
      `${markdownTable(columns, rows)}\n`
  )
})

NodeRuntime.runMain(Effect.scoped(program))
