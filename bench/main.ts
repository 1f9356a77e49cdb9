/**
 * Measures Millrace against bare pipes in interleaved runs and prints what each costs.
 *
 *     node bench/main.ts [--rounds 5] [--only S1,S2] [--quick] [--json]
 */
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Data, Effect } from "effect"
import { measure, type Run, warmUp } from "./measure.ts"
import { startVariant } from "./millrace.ts"
import { type Service, startOwn, temporaryFolder } from "./processes.ts"
import { baselines, type ScenarioRuns, summarize, table } from "./report.ts"
import { type Scenario, scenarios } from "./scenarios.ts"

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false }
  }
})

const rounds = Math.max(1, Number(flags.rounds) || (flags.quick ? 2 : 5))
const only = flags.only?.toUpperCase().split(",")
const chosen = scenarios(flags.quick).filter(({ name }) => only?.includes(name) ?? true)

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const note = (text: string): void => void process.stderr.write(`${text}\n`)

/** The baselines always; Millrace if it starts. */
const startGateways = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const upstream = yield* startOwn("upstream", "./upstream.ts", [])
  const raws = yield* Effect.forEach(baselines, (mode) => startOwn(mode, "./raw.ts", [mode, upstream.origin, folder]))
  const millraces = yield* Effect.forEach(["millrace", "millrace-keys"] as const, (variant) =>
    startVariant(variant, folder, upstream).pipe(
      Effect.map((service) => [service]),
      Effect.catchTag("DidNotStart", ({ name, reason }) => {
        note(`${name} is left out, it did not start: ${reason}`)
        return Effect.succeed([])
      })
    )
  )
  return [...raws, ...millraces.flat()]
})

/**
 * Within one dialect nothing needs translation; across dialects only what translates gives a right answer. What records,
 * keys and limits cost is a part of every call alike, and seen best where a call is short.
 */
const takesPart = ({ client, name: scenario, upstream }: Scenario, { name }: Service): boolean => {
  if (name === "millrace-keys" || name === "raw-record") return scenario === "S1" && client === upstream
  return client === upstream ? name !== "raw-xform" : name !== "raw" && name !== "raw-tap"
}

const runScenario = Effect.fnUntraced(function* (scenario: Scenario, gateways: ReadonlyArray<Service>) {
  const entries = gateways
    .filter((gateway) => takesPart(scenario, gateway))
    .map((gateway) => ({ gateway, runs: Array<Run>() }))
  yield* Effect.forEach(entries, ({ gateway }) => warmUp(scenario, gateway))
  for (let round = 0; round < rounds; round++) {
    for (const { gateway, runs } of entries) runs.push(yield* measure(scenario, gateway))
  }
  const measured: ScenarioRuns = {
    scenario,
    gateways: entries.map(({ gateway, runs }) => ({ name: gateway.name, runs }))
  }
  return measured
})

const titleOf = ({ calls, client, concurrency, name, title, upstream }: Scenario): string =>
  `${name} ${client} -> ${upstream}: ${title}; ${calls} calls, ${concurrency} at a time`

const machine = {
  node: process.version,
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? "unknown",
  loadAverageBefore: loadavg()[0] ?? 0
}

/** Makes the benchmark end with an error status. */
class WrongAnswers extends Data.TaggedError("WrongAnswers")<{ readonly failed: number }> {
  override get message(): string {
    return `${this.failed} answers were wrong: their gateways' costs mean nothing`
  }
}

const program = Effect.gen(function* () {
  const busy = machine.loadAverageBefore
  if (busy > 1) note(`the machine has other work to do (load average ${busy.toFixed(1)}): do not trust the numbers`)
  const gateways = yield* startGateways
  if (!flags.json) print(`node ${machine.node}, ${machine.cores} cores, ${machine.cpu}; median of ${rounds} rounds`)
  const results = yield* Effect.forEach(chosen, (scenario) =>
    Effect.tap(runScenario(scenario, gateways), (measured) =>
      Effect.sync(() =>
        flags.json ? note(titleOf(scenario)) : print(`\n${titleOf(scenario)}\n${table(summarize(measured))}`)
      )
    )
  )
  const measured = results.map((result) => ({ ...result, summary: summarize(result) }))
  if (flags.json) print(JSON.stringify({ ...machine, rounds, results: measured }, undefined, 2))
  const failed = measured.flatMap(({ summary }) => summary).reduce((sum, gateway) => sum + gateway.failed, 0)
  if (failed > 0) return yield* new WrongAnswers({ failed })
})

NodeRuntime.runMain(Effect.scoped(program))
