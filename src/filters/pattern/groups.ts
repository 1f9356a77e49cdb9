import { aroundOf, edgeOfText, runeBefore } from "./around.ts"
import { isAlternative, Op, type Program, takesRune } from "./Program.ts"

/** A match, and what stands around it: places are those of the text, `before` is the character before the text. */
export interface Matched {
  readonly pattern: number
  readonly text: string
  readonly start: number
  readonly end: number
  readonly before: number
}

/** A way to go on, or, on the way back from one that led nowhere, what a group had taken before. */
type Job = { readonly pc: number; readonly at: number } | { readonly group: number; readonly before: number }

/**
 * What the groups of a pattern took of a match, in the way that it prefers; 0 is the match. It reads the match once more,
 * no instruction twice at the same place, so that its time is in proportion to the match.
 */
export const groupsIn = (
  { ops, outs, args, instructions, starts }: Program,
  { pattern, text, start, end, before }: Matched
): ReadonlyArray<string | undefined> => {
  const places: Array<number> = [start, end]
  const tried = new Set<number>()
  const jobs: Array<Job> = [{ pc: starts[pattern]!, at: start }]
  for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
    if ("group" in job) {
      places[job.group] = job.before
      continue
    }
    let { pc, at } = job
    for (;;) {
      const op = ops[pc]!
      const key = (at - start) * ops.length + pc
      if (tried.has(key) || (op === Op.Match && at === end)) break
      tried.add(key)
      const rune = text.codePointAt(at) ?? edgeOfText
      if (op >= Op.Rune) {
        if (at >= end || !takesRune(instructions[pc]!, rune)) break
        at += rune > 0xffff ? 2 : 1
      } else if (isAlternative(op)) jobs.push({ pc: args[pc]!, at })
      else if (op === Op.Capture) {
        const group = args[pc]!
        jobs.push({ group, before: places[group] ?? -1 })
        places[group] = at
      } else if (op === Op.Empty) {
        if ((args[pc]! & ~aroundOf(runeBefore(text, at, before), rune)) !== 0) break
      } else if (op !== Op.Nop) break
      pc = outs[pc]!
    }
    if (ops[pc] === Op.Match && at === end) break
  }
  return Array.from({ length: Math.ceil(places.length / 2) }, (_, group) => {
    const from = places[2 * group] ?? -1
    const to = places[2 * group + 1] ?? -1
    return from < 0 || to < 0 ? undefined : text.slice(from, to)
  })
}
