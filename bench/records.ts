/**
 * Measures what the records of calls cost, by themselves: a call is opened and ended, with a request and an answer of
 * usual size, over SQLite in a temporary file.
 *
 *     node bench/records.ts [--calls 20000] [--rounds 3] [--durability standard] [--source <folder>]
 *
 * `--source` names another checkout's `src`: two runs in turn compare them.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import type * as AuditStoreSqlModule from "../src/audit/AuditStoreSql.ts"
import type * as AuditTrailModule from "../src/audit/AuditTrail.ts"
import type * as SqliteModule from "../src/storage/Sqlite.ts"
import { finalRecord, openRecord, type RecordedCall } from "./call-records.ts"

const { values: flags } = parseArgs({
  options: {
    calls: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
    durability: { type: "string", default: "standard" },
    source: { type: "string", default: join(import.meta.dirname, "../src") }
  }
})

const load = <Module>(file: string): Effect.Effect<Module> =>
  // whoever names another source names one with the same modules
  Effect.promise(() => import(pathToFileURL(resolve(flags.source, file)).href) as Promise<Module>)

const durability = (["strict", "standard", "process-safe", "async"] as const).find((name) => name === flags.durability)

const requestText = JSON.stringify({
  model: "bench/stream-100x16",
  messages: [
    { role: "system", content: "You are a helpful assistant. Answer in plain words and keep to the question." },
    { role: "user", content: "How does a water mill turn the fall of a stream into work at the stone?" }
  ],
  stream: true
})
const request = JSON.parse(requestText)
const text = "The wheel turns as long as the water runs. ".repeat(60)

let made = 0

/** So many calls, each begun when the one before it in its row has ended. */
const makeCalls = (trail: AuditTrailModule.AuditTrail["Service"], calls: number, atOnce: number) => {
  const call = Effect.suspend(() => {
    const id = `call-${String(made++).padStart(20, "0")}`
    const openedAt = 1_795_215_600_000 + made
    const call: RecordedCall = { id, model: "bench/stream-100x16", delivery: "stream", openedAt, request, requestText }
    return Effect.andThen(
      trail.open(openRecord(call)),
      Effect.suspend(() => trail.finalize(finalRecord(call, text)))
    )
  })
  const row = Effect.repeat(Effect.andThen(call, Effect.yieldNow), { times: Math.ceil(calls / atOnce) - 1 })
  return Effect.all(
    Array.from({ length: atOnce }, () => row),
    { concurrency: "unbounded", discard: true }
  )
}

/** CPU time in microseconds: of this thread, and of the whole process. */
const spent = () => {
  const [thread, all] = [process.threadCpuUsage(), process.cpuUsage()]
  return { main: thread.user + thread.system, all: all.user + all.system }
}

const measure = Effect.fnUntraced(function* (atOnce: number) {
  const calls = Number(flags.calls)
  const AuditTrail = (yield* load<typeof AuditTrailModule>("audit/AuditTrail.ts")).AuditTrail
  const trail = yield* AuditTrail
  yield* makeCalls(trail, 5000, atOnce)
  yield* Effect.sleep("300 millis")
  const before = spent()
  yield* makeCalls(trail, calls, atOnce)
  yield* Effect.repeat(trail.stats, { until: ({ running }) => running === 0 })
  const after = spent()
  const main = (after.main - before.main) / calls
  const others = (after.all - before.all) / calls - main
  return `${atOnce} at a time: main thread ${main.toFixed(1)} µs, other threads ${others.toFixed(1)} µs a call`
})

const program = Effect.gen(function* () {
  const { AuditTrail } = yield* load<typeof AuditTrailModule>("audit/AuditTrail.ts")
  const store = yield* load<typeof AuditStoreSqlModule>("audit/AuditStoreSql.ts")
  const sqlite = yield* load<typeof SqliteModule>("storage/Sqlite.ts")
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "millrace-records-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true }))
  )
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const atOnce of [4, 16, 64]) {
      const database = sqlite.layer({ filename: join(folder, `${round}-${atOnce}.db`) })
      const trail = AuditTrail.layer(durability === undefined ? {} : { durability }).pipe(
        Layer.provide(store.layer),
        Layer.provide(database)
      )
      yield* Console.log(yield* Effect.provide(measure(atOnce), Layer.fresh(trail)))
    }
  }
})

NodeRuntime.runMain(Effect.scoped(program))
