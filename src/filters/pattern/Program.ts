import { Result } from "effect"
import { RE2JS } from "re2js"

/** A regular expression to look for. `matches` has the last word: what it declines is no match. */
export interface Pattern {
  /** in the syntax of RE2: no back references, no look-around, and for that never slower than the text is long */
  readonly source: string
  readonly caseInsensitive?: boolean
  /** the longest that a match can be, in code units, where the pattern itself has no bound; 256 unless it says so */
  readonly longest?: number
  readonly matches?: (text: string) => boolean
}

/** An instruction as RE2JS compiles it; of its kinds those that a program without look-behind has. */
interface Instruction {
  readonly op: number
  readonly out: number
  readonly arg: number
  readonly matchRune: (rune: number) => boolean
}

export const Op = {
  Alt: 1,
  AltMatch: 2,
  Capture: 3,
  Empty: 4,
  Fail: 5,
  Match: 6,
  Nop: 7,
  Rune: 8,
  Rune1: 9,
  Any: 10,
  AnyNotNewline: 11
} as const

/** What the text around a place is like, as `Op.Empty` asks for it. */
export const Around = { beginLine: 1, endLine: 2, beginText: 4, endText: 8, boundary: 16, noBoundary: 32 } as const

/** How long a match of a pattern may be that has no bound of its own, in code units. */
const defaultLongest = 256

const maxInstructions = 20_000

/** Several patterns as one program: the instructions of all, and where each begins. The first pattern has precedence. */
export interface Program {
  readonly ops: Uint8Array
  readonly outs: Int32Array
  /** the other way of an alternative, what an assertion asks for, or which pattern matched */
  readonly args: Int32Array
  /** for instructions that take a character: whether they take one of the first 128 */
  readonly ascii: ReadonlyArray<Uint8Array | undefined>
  readonly instructions: ReadonlyArray<Instruction>
  readonly starts: ReadonlyArray<number>
  /** whether a match can begin with one of the first 128 characters */
  readonly first: Uint8Array
  readonly patterns: ReadonlyArray<Pattern>
  /** of the pattern that an instruction belongs to, the longest that a match can be: all that is seen of a longer one */
  readonly bounds: Int32Array
  /** the longest of all */
  readonly longest: number
}

const takes = (op: number): boolean => op >= Op.Rune

const takesAscii = (instruction: Instruction): Uint8Array => {
  const table = new Uint8Array(128)
  for (let code = 0; code < 128; code++) table[code] = takesRune(instruction, code) ? 1 : 0
  return table
}

/** Whether an instruction that takes a character takes this one. */
export const takesRune = (instruction: Instruction, rune: number): boolean => {
  if (instruction.op === Op.Any) return true
  return instruction.op === Op.AnyNotNewline ? rune !== 10 : instruction.matchRune(rune)
}

const compileOne = ({
  source,
  caseInsensitive
}: Pattern): { readonly instructions: ReadonlyArray<Instruction>; readonly start: number } => {
  const { prog } = RE2JS.compile(source, caseInsensitive === true ? RE2JS.CASE_INSENSITIVE : 0).re2()
  return { instructions: prog.inst, start: prog.start }
}

/** Compiles patterns into one program; says what is wrong with the first that cannot be used. */
export const compile = (patterns: ReadonlyArray<Pattern>): Result.Result<Program, string> => {
  const instructions: Array<Instruction> = []
  const owners: Array<number> = []
  const outs: Array<number> = []
  const args: Array<number> = []
  const starts: Array<number> = []
  for (const [index, pattern] of patterns.entries()) {
    const compiled = Result.try({
      try: () => compileOne(pattern),
      catch: (error) =>
        `${JSON.stringify(pattern.source)} is no pattern: ${error instanceof Error ? error.message : ""}`
    })
    if (Result.isFailure(compiled)) return Result.fail(compiled.failure)
    const offset = instructions.length
    starts.push(offset + compiled.success.start)
    for (const instruction of compiled.success.instructions) {
      const { op, out, arg } = instruction
      instructions.push(instruction)
      owners.push(index)
      outs.push(offset + out)
      args.push(isAlternative(op) ? offset + arg : op === Op.Match ? index : arg)
    }
    if (instructions.length > maxInstructions) return Result.fail(`${JSON.stringify(pattern.source)} is too large`)
  }
  const code: Code = {
    ops: Uint8Array.from(instructions, ({ op }) => op),
    outs: Int32Array.from(outs),
    args: Int32Array.from(args),
    ascii: instructions.map((instruction) => (takes(instruction.op) ? takesAscii(instruction) : undefined))
  }
  const first = new Uint8Array(128)
  const empty = starts.findIndex((start) => markFirst(code, first, start))
  if (empty >= 0) return Result.fail(`${JSON.stringify(patterns[empty]?.source)} matches the empty text`)
  const longest = patterns.map((pattern, index) => boundOf(pattern, longestFrom(code, starts[index]!)))
  return Result.succeed({
    ...code,
    instructions,
    starts,
    first,
    patterns,
    bounds: Int32Array.from(owners, (owner) => longest[owner]!),
    longest: Math.max(0, ...longest)
  })
}

type Code = Pick<Program, "ops" | "outs" | "args" | "ascii">

const boundOf = ({ longest }: Pattern, own: number): number =>
  Number.isFinite(own) ? Math.min(own, longest ?? own) : (longest ?? defaultLongest)

const isAlternative = (op: number): boolean => op === Op.Alt || op === Op.AltMatch

/** Marks what a match can begin with; true where it can be of nothing at all. */
const markFirst = ({ ops, outs, args, ascii }: Code, first: Uint8Array, start: number): boolean => {
  const seen = new Set<number>()
  const waiting = [start]
  let empty = false
  for (let pc = waiting.pop(); pc !== undefined; pc = waiting.pop()) {
    if (seen.has(pc)) continue
    seen.add(pc)
    const op = ops[pc]!
    ascii[pc]?.forEach((taken, code) => {
      if (taken === 1) first[code] = 1
    })
    if (op === Op.Match) empty = true
    else if (isAlternative(op)) waiting.push(outs[pc]!, args[pc]!)
    else if (!takes(op) && op !== Op.Fail) waiting.push(outs[pc]!)
  }
  return empty
}

/** The longest that a match from an instruction on can be, in code units; infinite where it can go round. */
const longestFrom = ({ ops, outs, args }: Code, start: number): number => {
  const known = new Map<number, number>()
  // An instruction that is met again before it is known stands in a circle.
  const from = (pc: number): number => {
    const before = known.get(pc)
    if (before !== undefined) return before
    known.set(pc, Number.POSITIVE_INFINITY)
    const op = ops[pc]!
    const length = isAlternative(op)
      ? Math.max(from(outs[pc]!), from(args[pc]!))
      : op === Op.Match || op === Op.Fail
        ? 0
        : (takes(op) ? 2 : 0) + from(outs[pc]!)
    known.set(pc, length)
    return length
  }
  return from(start)
}
