/** Soaks a server: makes the calls, looks at what it holds now and then, and reads its records at the end. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect, Schedule } from "effect"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { simulateServer } from "../../src/server/simulate/SimulateServer.ts"
import { startMillrace, type Service } from "../processes.ts"
import { make, type Ending, type SeenCall } from "./client.ts"
import type { Held } from "./inside.ts"
import { judge, leaks } from "./judge.ts"
import { documentOf, soakOf } from "./workload.ts"

export interface SoakPlan {
  readonly folder: string
  readonly seed: number
  readonly calls: number
  /** how many are made at a time */
  readonly concurrency: number
  /** in how many parts: after each the server is looked at. The first one warms it up */
  readonly parts: number
}

/** What a soak found. `files` do not count the connections that are kept for further use. */
export interface Soaked {
  readonly faults: ReadonlyArray<string>
  readonly endings: { readonly [ending in Ending]: number }
  readonly outcomes: { readonly [kind: string]: number }
  readonly attempts: number
  readonly rescued: number
  /** after every part, when nothing was left to do */
  readonly held: ReadonlyArray<Held>
}

const fetchText = (url: string): Effect.Effect<string> =>
  Effect.promise(() => fetch(url).then((answer) => answer.text()))

/** Waits until something is so that has to come. */
const until = <A>(look: Effect.Effect<A>, holds: (found: A) => boolean): Effect.Effect<A> =>
  Effect.repeat(look, { until: holds, schedule: Schedule.spaced("20 millis") }).pipe(Effect.andThen(look))

/** No call is open, none holds or waits for a place. */
const isIdle = (metrics: string): boolean =>
  metrics
    .split("\n")
    .every((line) => !/^millrace_(calls_open|target_in_flight|target_queued)\b/.test(line) || line.endsWith(" 0"))

const allRecords = Effect.fnUntraced(function* (origin: string) {
  const records: Array<CallRecord> = []
  let cursor = ""
  for (;;) {
    const page = JSON.parse(yield* fetchText(`${origin}/v1/calls?limit=100${cursor}`)) as {
      readonly data: ReadonlyArray<CallRecord>
      readonly nextCursor?: string
    }
    records.push(...page.data)
    if (page.nextCursor === undefined) return records
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
  }
})

const heldBy = Effect.fnUntraced(function* ({ pid }: Service, file: string) {
  const lines = Effect.sync(() =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .filter((line) => line !== "")
  )
  const before = (yield* lines).length
  process.kill(pid, "SIGUSR2")
  const after = yield* until(lines, (found) => found.length > before)
  return JSON.parse(after.at(-1) ?? "") as Held
})

const countBy = <A extends string>(names: ReadonlyArray<A>): Record<A, number> => {
  const counts = {} as Record<A, number>
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

export const soak = Effect.fnUntraced(function* ({ calls, concurrency, folder, parts, seed }: SoakPlan) {
  const simulator = yield* simulateServer({ port: 0 })
  const workload = soakOf(seed, calls)
  const report = join(folder, "held.jsonl")
  writeFileSync(report, "")
  const inside = new URL(`./inside.ts?to=${encodeURIComponent(report)}`, import.meta.url).href
  const server = yield* startMillrace(folder, documentOf(workload.models, simulator.url), ["--import", inside])

  const held: Array<Held> = []
  const size = Math.ceil(calls / parts)
  const seen: Array<SeenCall> = []
  for (let at = 0; at < calls; at += size) {
    const part = workload.calls.slice(at, at + size)
    seen.push(...(yield* Effect.forEach(part, (call) => make(server.origin, call), { concurrency })))
    yield* until(fetchText(`${server.origin}/metrics`), isIdle)
    const { connections, requests } = simulator.log.stats()
    yield* until(
      Effect.sync(() => requests.open),
      (open) => open === 0
    )
    const found = yield* heldBy(server, report)
    held.push({ ...found, files: found.files - connections.open })
  }
  const records = yield* until(allRecords(server.origin), (found) => found.every(({ status }) => status === "ended"))
  return {
    faults: [
      ...judge(
        workload.calls.map((call, index) => [call, seen[index]!] as const),
        records
      ),
      ...leaks(held)
    ],
    endings: countBy(seen.map(({ ending }) => ending)),
    outcomes: countBy(records.map(({ outcome }) => outcome?.kind ?? "none")),
    attempts: records.reduce((sum, { attempts }) => sum + attempts.length, 0),
    rescued: records.filter(({ notices }) => notices.some(({ code }) => code === "rescued")).length,
    held
  } satisfies Soaked
})
