/**
 * Makes calls whose providers fail at random through `millrace serve`, and says what became of them and of the server.
 *
 *     node bench/soak.ts [--calls 10000] [--concurrency 64] [--seed 1]
 *
 * Every call follows from the seed. Ends with an error status where a call was not ended once in the record as its client
 * saw it, or the server holds more than it did.
 */
import { parseArgs } from "node:util"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { monotonicMicros } from "./clock.ts"
import { temporaryFolder } from "./processes.ts"
import { soak } from "./soak/run.ts"

const { values: flags } = parseArgs({
  options: {
    calls: { type: "string", default: "10000" },
    concurrency: { type: "string", default: "64" },
    seed: { type: "string", default: "1" }
  }
})

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const counts = (found: object): string =>
  Object.entries(found)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ")

Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const plan = { folder, seed: Number(flags.seed), calls: Number(flags.calls), concurrency: Number(flags.concurrency) }
  const startedAt = monotonicMicros()
  const { attempts, endings, faults, held, outcomes, rescued } = yield* soak({ ...plan, parts: 10 })
  print(
    `${plan.calls} calls, ${plan.concurrency} at a time, seed ${plan.seed}: ${Math.round((monotonicMicros() - startedAt) / 1e6)} s`
  )
  print(`clients: ${counts(endings)}`)
  print(`records: ${counts(outcomes)}; ${attempts} attempts, ${rescued} answers gone on with`)
  for (const { heapBytes, ...rest } of held) print(`held: ${counts(rest)}, heap ${(heapBytes / 2 ** 20).toFixed(1)} MB`)
  for (const fault of faults.slice(0, 50)) print(fault)
  print(`${faults.length} faults`)
  if (faults.length > 0) process.exitCode = 1
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer), NodeRuntime.runMain)
