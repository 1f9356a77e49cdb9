/** One run of a scenario against one gateway, and what many runs come to. */
import { Effect } from "effect"
import { answerCheck } from "./answers.ts"
import { type LoadResult, runLoad } from "./load.ts"
import { cpuMicros, residentBytes, type Service } from "./processes.ts"
import { requestBody, type Scenario } from "./scenarios.ts"
import { parseWorkload, pathOf, providerOf, type Workload } from "./workloads.ts"

export interface Run {
  readonly cpuMicrosPerCall: number
  readonly callsPerSecond: number
  readonly callP50Micros: number
  readonly callP99Micros: number
  /** Only of paced streams, whose chunks carry a time stamp. */
  readonly chunkP50Micros: number | undefined
  readonly chunkP99Micros: number | undefined
  readonly residentBytes: number
  readonly failed: number
  readonly firstFailure: string | undefined
}

/** What a gateway does after the last answer, as writing records behind, belongs to the calls' cost. */
export const settleTime = "300 millis"

/** No run may take longer. What is missing then counts as failed. */
const runTimeLimit = "60 seconds"

export const quantile = (values: ReadonlyArray<number>, q: number): number => {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

const workloadOf = (scenario: Scenario): Workload => {
  const workload = parseWorkload(scenario.workload)
  if (workload === undefined) throw new Error(`${scenario.workload} is no workload`)
  return workload
}

/** The chunks of one call; undefined where the answer is whole. */
export const chunksPerCall = (scenario: Scenario): number | undefined => {
  const workload = workloadOf(scenario)
  return workload.kind === "stream" ? workload.chunks : undefined
}

/** Makes so many calls of a scenario, so many a second where that is given. */
export const load = (
  scenario: Scenario,
  gateway: Service,
  calls: number,
  perSecond?: number
): Effect.Effect<LoadResult> => {
  const { client, concurrency, upstream, workload } = scenario
  const plan = {
    origin: gateway.origin,
    path: pathOf[client],
    body: requestBody(scenario, `${providerOf[upstream]}/${workload}`),
    concurrency: Math.min(concurrency, calls),
    calls,
    perSecond,
    check: answerCheck(client, upstream, workloadOf(scenario))
  }
  const nothing: LoadResult = {
    calls,
    seconds: Number.NaN,
    callMicros: [],
    chunkMicros: [],
    failed: calls,
    firstFailure: `not done within ${runTimeLimit}`
  }
  return Effect.timeoutOrElse(runLoad(plan), { duration: runTimeLimit, orElse: () => Effect.succeed(nothing) })
}

const warmUpCalls = 3000

/** Lets a gateway compile what the scenario will use. */
export const warmUp = (scenario: Scenario, gateway: Service): Effect.Effect<void> =>
  load(scenario, gateway, Math.min(scenario.calls, warmUpCalls)).pipe(Effect.andThen(Effect.sleep(settleTime)))

export const measure = Effect.fnUntraced(function* (scenario: Scenario, gateway: Service) {
  const before = yield* cpuMicros(gateway)
  const { callMicros, calls, chunkMicros, failed, firstFailure, seconds } = yield* load(
    scenario,
    gateway,
    scenario.calls
  )
  yield* Effect.sleep(settleTime)
  const measuresChunks = chunkMicros.length > 0
  const run: Run = {
    cpuMicrosPerCall: ((yield* cpuMicros(gateway)) - before) / calls,
    callsPerSecond: calls / seconds,
    callP50Micros: quantile(callMicros, 0.5),
    callP99Micros: quantile(callMicros, 0.99),
    chunkP50Micros: measuresChunks ? quantile(chunkMicros, 0.5) : undefined,
    chunkP99Micros: measuresChunks ? quantile(chunkMicros, 0.99) : undefined,
    residentBytes: yield* residentBytes(gateway),
    failed,
    firstFailure
  }
  return run
})
