// What stock filters cost an answer that streams: the time for each delta of a token or so, and how much is held back.
//   node bench/filters.ts
import { Result } from "effect"
import type { LlmEvent } from "../src/domain/LlmEvent.ts"
import { compile } from "../src/filters/pattern/Program.ts"
import { PatternScanner } from "../src/filters/pattern/PatternScanner.ts"
import { ScanSteps } from "../src/filters/ScanSteps.ts"
import { packs, type Pack } from "../src/filters/stock/packs.ts"
import type { TextScanner } from "../src/filters/TextScanner.ts"

const patternsOf = (chosen: ReadonlyArray<Pack>) => chosen.flatMap(({ patterns }) => patterns)
const scannerOf = (patterns: ReturnType<typeof patternsOf>) => {
  const program = Result.getOrThrow(compile(patterns))
  return (): TextScanner => new PatternScanner(program, () => "[hidden]")
}

const passing: TextScanner = { scan: (text, _, decide) => void decide.keep(text.length) }
const words = ["evil", "a bad word", "something else"].map((source) => ({
  source: `\\b${source}\\b`,
  caseInsensitive: true
}))

const filters: { readonly [name: string]: () => TextScanner } = {
  "nothing to look for": () => passing,
  "block, three words": scannerOf(words),
  "redact, e-mail": scannerOf(patternsOf([packs.email])),
  "redact, all packs": scannerOf(patternsOf(Object.values(packs)))
}

const sentence =
  "The order of 12 May 2026 (no. 48-1123) was sent to jane.doe@example.com, and 3 of 17 parts were back by 10:30 on Monday. "
const text = sentence.repeat(200)
const deltas = text.match(/.{1,4}/gs) ?? []
const events = deltas.map((piece): LlmEvent => ({ _tag: "TextDelta", id: "text", text: piece }))

/** One answer: how long it took in nanoseconds, and the most that was held back, in deltas and in characters. */
const answer = (make: () => TextScanner) => {
  const steps = new ScanSteps(() => make())
  const out: Array<LlmEvent> = []
  steps.step({ _tag: "TextStart", id: "text" }, out)
  const from = process.hrtime.bigint()
  for (const event of events) {
    out.length = 0
    steps.step(event, out)
  }
  return Number(process.hrtime.bigint() - from)
}

const heldBack = (scanner: TextScanner): number => {
  let came = 0
  let decided = 0
  let most = 0
  const count = (length: number) => void (decided += length)
  for (const piece of deltas) {
    came += piece.length
    scanner.scan(piece, false, { keep: count, replace: count })
    most = Math.max(most, came - decided)
  }
  return most
}

process.stdout.write(
  "| filter | ns per delta of 4 characters, median of 15 answers | most held back, characters |\n|---|---|---|\n"
)
for (const [name, make] of Object.entries(filters)) {
  for (let warm = 0; warm < 10; warm++) answer(make)
  const times = Array.from({ length: 15 }, () => answer(make) / events.length).toSorted((a, b) => a - b)
  process.stdout.write(`| ${name} | ${Math.round(times[7] ?? 0)} | ${heldBack(make())} |\n`)
}
