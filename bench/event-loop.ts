/**
 * Measures how late the event loop of a server is that does nothing, and of one that answers calls, without and with keys
 * and limits, and that of a bare pipe beside them.
 *
 *     node bench/event-loop.ts [--rounds 3] [--calls 10000]
 */
import { existsSync, readFileSync } from "node:fs"
import { loadavg } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Schedule } from "effect"
import type { LoopDelay } from "./loop-delay.ts"
import { load, warmUp } from "./measure.ts"
import { startVariant, type Variant } from "./millrace.ts"
import { type Service, startOwn, temporaryFolder } from "./processes.ts"
import { scenarios } from "./scenarios.ts"

const { values: flags } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, calls: { type: "string", default: "10000" } }
})
const rounds = Math.max(1, Number(flags.rounds) || 3)
const calls = Math.max(100, Number(flags.calls) || 10_000)

const [wholeAnswers] = scenarios(false)
/** At the rates that a server of its size is given, and as much as it takes. */
const loads: ReadonlyArray<{ readonly concurrency: number; readonly perSecond?: number }> = [
  { concurrency: 64, perSecond: 250 },
  { concurrency: 64, perSecond: 1000 },
  { concurrency: 8 },
  { concurrency: 64 }
]
const idleTime = "5 seconds"

const linesOf = (file: string): ReadonlyArray<string> =>
  existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []

/** How late the loop was since the last look. */
const look = Effect.fnUntraced(function* ({ pid }: Service, report: string) {
  const before = linesOf(report).length
  process.kill(pid, "SIGUSR2")
  const lines = yield* Effect.repeat(
    Effect.sync(() => linesOf(report)),
    { until: ({ length }) => length > before, schedule: Schedule.spaced("20 millis") }
  )
  // The preload writes such lines.
  return JSON.parse(lines.at(-1) ?? "{}") as LoopDelay
})

const print = (variant: string, state: string, { max, p50, p99 }: LoopDelay): void =>
  void process.stdout.write(
    `| ${variant} | ${state} | ${[p50, p99, max].map((millis) => millis.toFixed(2)).join(" | ")} |\n`
  )

const start = (variant: Variant | "raw", folder: string, upstream: Service, nodeOptions: ReadonlyArray<string>) =>
  variant === "raw"
    ? startOwn("raw", "./raw.ts", ["raw", upstream.origin], nodeOptions)
    : startVariant(variant, folder, upstream, nodeOptions)

const measureVariant = Effect.fnUntraced(function* (variant: Variant | "raw", folder: string, upstream: Service) {
  if (wholeAnswers === undefined) return
  const report = join(folder, `${variant}.delays`)
  const preload = new URL(`./loop-delay.ts?to=${encodeURIComponent(report)}`, import.meta.url).href
  const server = yield* start(variant, folder, upstream, ["--import", preload])
  yield* warmUp(wholeAnswers, server)
  for (let round = 0; round < rounds; round++) {
    yield* look(server, report)
    yield* Effect.sleep(idleTime)
    print(variant, "idle", yield* look(server, report))
    for (const { concurrency, perSecond } of loads) {
      const { callsPerSecond, failed } = yield* Effect.map(
        load({ ...wholeAnswers, concurrency }, server, calls, perSecond),
        (result) => ({ callsPerSecond: result.calls / result.seconds, failed: result.failed })
      )
      const asMany = `${callsPerSecond.toFixed(0)} calls/s`
      const state = perSecond === undefined ? `${concurrency} at a time, ${asMany}` : asMany
      print(variant, failed === 0 ? state : `${state}, ${failed} wrong`, yield* look(server, report))
    }
  }
})

const program = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const upstream = yield* startOwn("upstream", "./upstream.ts", [])
  process.stdout.write(`load average ${(loadavg()[0] ?? 0).toFixed(1)} before; whole answers of 1 KB\n\n`)
  process.stdout.write("| | | p50 ms | p99 ms | max ms |\n|---|---|---:|---:|---:|\n")
  for (const variant of ["raw", "millrace", "millrace-keys"] as const) {
    yield* Effect.scoped(measureVariant(variant, folder, upstream))
  }
})

NodeRuntime.runMain(Effect.scoped(program))
