import { timeOf } from "../call-texts.ts"
import { columns } from "../describe.ts"
import type { ChangedCall, Comparison, Difference } from "./compare.ts"

const context = 30
const longest = 120

const shown = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ")
  return line.length <= longest ? line : `${line.slice(0, longest)}… (${line.length - longest} more)`
}

/** Where two texts differ: what both have around it, `[-` what goes `-]` and `{+` what comes `+}`. */
export const textDifference = (before: string, after: string): string => {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  const most = Math.min(before.length, after.length) - start
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++
  const gone = before.slice(start, before.length - end)
  const come = after.slice(start, after.length - end)
  const head = before.slice(Math.max(0, start - context), start)
  const tail = before.slice(before.length - end, before.length - end + context)
  return [
    start > context ? "…" : "",
    head.replaceAll(/\s+/g, " "),
    gone === "" ? "" : `[-${shown(gone)}-]`,
    come === "" ? "" : `{+${shown(come)}+}`,
    tail.replaceAll(/\s+/g, " "),
    end > context ? "…" : ""
  ].join("")
}

const names: { readonly [W in Difference["what"]]: string } = {
  outcome: "outcome",
  request: "request",
  answer: "answer",
  failure: "failure",
  finding: "finding",
  signal: "signal",
  quality: "quality",
  firstTokenMs: "first token",
  totalMs: "total"
}

const rowOf = ({ after, before, what }: Difference): readonly [string, string] => {
  const name = names[what]
  switch (what) {
    case "request":
    case "answer":
      return [name, textDifference(before ?? "", after ?? "")]
    case "failure":
    case "finding":
    case "signal":
      return [name, after === undefined ? `- ${before}` : `+ ${after}`]
    case "firstTokenMs":
    case "totalMs":
      return [name, `${before ?? "never"} → ${after ?? "never"} ms`]
    default:
      return [name, `${before ?? "none"} → ${after ?? "none"}`]
  }
}

const callText = ({ differences, id, model, openedAt }: ChangedCall): string => {
  // recordings without a time begin at the beginning of time
  const when = openedAt < 1e12 ? "" : `  ${timeOf(openedAt)}`
  return `${id}${when}  ${model}\n${columns(differences.map(rowOf))}`
}

/** How many calls differ in what. */
const summary = ({ changed, replayed, skipped }: Comparison): string => {
  const calls = `${replayed} ${replayed === 1 ? "call" : "calls"}`
  const counts = Object.entries(names).flatMap(([what, name]) => {
    const count = changed.filter(({ differences }) => differences.some((found) => found.what === what)).length
    return count === 0 ? [] : [`${name} ${count}`]
  })
  const reasons = new Map<string, number>()
  for (const { reason } of skipped) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  return [
    changed.length === 0
      ? `Nothing would have been otherwise in ${calls}.`
      : `${changed.length} of ${calls} would have gone otherwise (${counts.join(", ")}).`,
    ...Array.from(reasons, ([reason, count]) => `${count} could not be replayed: ${reason}.`)
  ].join("\n")
}

/** A comparison for people. */
export const comparisonText = (comparison: Comparison): string =>
  [...comparison.changed.map(callText), summary(comparison)].join("\n\n")
