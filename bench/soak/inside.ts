/**
 * Loaded into the server that is soaked: says what it holds, after a garbage collection, whenever it gets SIGUSR2. It
 * appends a line of JSON to the file that the query of its own URL names.
 */
import { appendFileSync, readdirSync } from "node:fs"
import { queryObjects, setFlagsFromString } from "node:v8"
import { isMainThread } from "node:worker_threads"
import { Effect } from "effect"
import { CallState } from "../../src/engine/CallState.ts"
import { Attempt } from "../../src/routing/Attempt.ts"

/** What a process holds at a moment at which it has nothing to do. */
export interface Held {
  readonly fibers: number
  readonly attempts: number
  readonly calls: number
  readonly timers: number
  readonly files: number
  readonly heapBytes: number
}

type Constructor = Parameters<typeof queryObjects>[0]

const count = (constructor: unknown): number => queryObjects(constructor as Constructor, { format: "count" })

const held = (): Held => {
  // Looking for objects collects garbage first.
  const fibers = count(Effect.runFork(Effect.void).constructor)
  return {
    fibers,
    attempts: count(Attempt),
    calls: count(CallState),
    timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout" || name === "Immediate").length,
    files: readdirSync("/proc/self/fd").length,
    heapBytes: process.memoryUsage().heapUsed
  }
}

const file = new URL(import.meta.url).searchParams.get("to")
if (isMainThread && file !== null) {
  setFlagsFromString("--expose-gc")
  process.on("SIGUSR2", () => appendFileSync(file, `${JSON.stringify(held())}\n`))
}
