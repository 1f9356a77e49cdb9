/**
 * Loaded into the server whose event loop is measured: says how late it was since the last time, in milliseconds, whenever
 * it gets SIGUSR2. It appends a line of JSON to the file that the query of its own URL names.
 */
import { appendFileSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { isMainThread } from "node:worker_threads"

/** Between two turns of the loop that should be a millisecond apart. */
export interface LoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const file = new URL(import.meta.url).searchParams.get("to")
if (isMainThread && file !== null) {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  process.on("SIGUSR2", () => {
    const delay: LoopDelay = {
      p50: histogram.percentile(50) / 1e6,
      p99: histogram.percentile(99) / 1e6,
      max: histogram.max / 1e6
    }
    histogram.reset()
    appendFileSync(file, `${JSON.stringify(delay)}\n`)
  })
}
