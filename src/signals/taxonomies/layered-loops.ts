import { canonicalJson } from "../../domain/canonical-json.ts"
import type { Signal } from "../Signal.ts"
import type { View } from "../Taxonomy.ts"

/** What the model does over and over. */
export const loopTypes: ReadonlyArray<string> = [
  "execution.loops.retry",
  "execution.loops.parameter_drift",
  "execution.loops.oscillation"
]

interface Step {
  readonly name: string
  /** as canonical JSON, so that neither order nor blanks make a difference */
  readonly input: string
  readonly message: number
  readonly row: number
}

/** Steps from `start` to `end`, both included; `since` is the one with which they became a loop. */
interface Loop {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly since: number
  readonly confidence: number
}

const shortest = 3

/** Loops that began to be one with a fresh row: what goes on was told already. */
export const findLoops = ({ fresh, rows }: View): ReadonlyArray<Signal> => {
  if (!rows.slice(fresh).some(({ kind }) => kind === "call")) return []
  const steps = rows.flatMap(({ row }, index): ReadonlyArray<Step> =>
    row.kind === "call"
      ? [{ name: row.name, input: canonicalJson(row.arguments), message: row.message, row: index }]
      : []
  )
  const retries = runs(steps, (one, other) => one.name === other.name && one.input === other.input).map(retry)
  const drifts = runs(steps, (one, other) => one.name === other.name)
    .flatMap((run) => drift(run, steps))
    .filter((found) => !retries.some((retried) => overlaps(found, retried)))
  return [...retries, ...drifts, ...distinct(oscillations(steps))]
    .filter(({ since }) => steps[since]!.row >= fresh)
    .map(({ confidence, end, start, since, type }) => ({
      type,
      message: steps[since]!.message,
      confidence,
      metadata: { tool_name: steps[start]!.name, calls: end - start + 1, first_message: steps[start]!.message }
    }))
}

type Run = { readonly start: number; readonly end: number }

/** Three and more steps, one after the other, that are alike. */
const runs = (steps: ReadonlyArray<Step>, alike: (one: Step, other: Step) => boolean): ReadonlyArray<Run> => {
  const found: Array<Run> = []
  let start = 0
  for (let at = 1; at <= steps.length; at++) {
    if (at < steps.length && alike(steps[at - 1]!, steps[at]!)) continue
    if (at - start >= shortest) found.push({ start, end: at - 1 })
    start = at
  }
  return found
}

const retry = ({ end, start }: Run): Loop => ({
  type: "execution.loops.retry",
  start,
  end,
  since: start + shortest - 1,
  confidence: 0.95
})

/** The same tool with other arguments each time. Calls of one message were made at once: that is no drifting. */
const drift = ({ end, start }: Run, steps: ReadonlyArray<Step>): ReadonlyArray<Loop> => {
  const inputs = new Set<string>()
  const messages = new Set<number>()
  for (let at = start; at <= end; at++) {
    inputs.add(steps[at]!.input)
    messages.add(steps[at]!.message)
    if (at - start + 1 < shortest || inputs.size < 2 || messages.size < 2) continue
    return [{ type: "execution.loops.parameter_drift", start, end, since: at, confidence: 0.85 }]
  }
  return []
}

const cycles = 3
const longestCycle = 5

/** A pattern of two to five tools that comes three times and more. */
const oscillations = (steps: ReadonlyArray<Step>): ReadonlyArray<Loop> => {
  const found: Array<Loop> = []
  for (let length = 2; length <= longestCycle; length++) {
    for (let start = 0; start + cycles * length <= steps.length; start++) {
      let end = start + length
      while (end < steps.length && steps[end]!.name === steps[end - length]!.name) end++
      const names = new Set(steps.slice(start, start + length).map(({ name }) => name))
      if (names.size < 2 || end - start < cycles * length) continue
      const since = start + cycles * length - 1
      found.push({ type: "execution.loops.oscillation", start, end: end - 1, since, confidence: 0.9 })
      // what begins within this one is the same
      start = end - length
    }
  }
  return found
}

/** Of loops that overlap the earliest, and of these the longest. */
const distinct = (loops: ReadonlyArray<Loop>): ReadonlyArray<Loop> => {
  const kept: Array<Loop> = []
  for (const loop of loops.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    if (!kept.some((other) => overlaps(loop, other))) kept.push(loop)
  }
  return kept
}

const overlaps = (one: Run, other: Run): boolean => one.start <= other.end && other.start <= one.end
