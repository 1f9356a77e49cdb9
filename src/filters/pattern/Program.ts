import { Result } from "effect"
import { RE2JS } from "re2js"
import { Scratch } from "./Threads.ts"

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
  /** those of them that a match can begin with, for each of the first 128 characters */
  readonly startsWith: ReadonlyArray<Int32Array>
  readonly patterns: ReadonlyArray<Pattern>
  /** of the pattern that an instruction belongs to, the longest that a match can be: all that is seen of a longer one */
  readonly bounds: Int32Array
  /** the longest of all */
  readonly longest: number
  /** what the scanners of the program use in turn */
  readonly scratch: Scratch
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
  const firsts = starts.map((start) => firstOf(code, start))
  const empty = firsts.indexOf(undefined)
  if (empty >= 0) return Result.fail(`${JSON.stringify(patterns[empty]?.source)} matches the empty text`)
  const longest = patterns.map((pattern, index) => boundOf(pattern, longestFrom(code, starts[index]!)))
  return Result.succeed({
    ...code,
    instructions,
    starts,
    startsWith: Array.from({ length: 128 }, (_, code) =>
      Int32Array.from(starts.filter((_, index) => firsts[index]?.[code] === 1))
    ),
    patterns,
    bounds: Int32Array.from(owners, (owner) => longest[owner]!),
    longest: Math.max(0, ...longest),
    scratch: new Scratch(
      Uint8Array.from(owners, (owner) => (patterns[owner]?.matches === undefined ? 0 : 1)),
      patterns.length
    )
  })
}

type Code = Pick<Program, "ops" | "outs" | "args" | "ascii">

const boundOf = ({ longest }: Pattern, own: number): number =>
  Number.isFinite(own) ? Math.min(own, longest ?? own) : (longest ?? defaultLongest)

/** Whether an instruction leads two ways: first `out`, then its argument. */
export const isAlternative = (op: number): boolean => op === Op.Alt || op === Op.AltMatch

/** Which of the first 128 characters a match can begin with; nothing where it can be of nothing at all. */
const firstOf = ({ ops, outs, args, ascii }: Code, start: number): Uint8Array | undefined => {
  const first = new Uint8Array(128)
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
  return empty ? undefined : first
}

/**
 * The longest that a match from an instruction on can be, in code units; infinite where it can go round. What comes after
 * an instruction is known before it is, without a call for each: programs may be longer than a stack is deep.
 */
const longestFrom = ({ ops, outs, args }: Code, start: number): number => {
  const known = new Map<number, number>()
  const open = new Set<number>()
  const waiting = [start]
  const lengthAfter = (pc: number) => known.get(pc) ?? Number.POSITIVE_INFINITY
  for (let pc = waiting.at(-1); pc !== undefined; pc = waiting.at(-1)) {
    const op = ops[pc]!
    const ends = op === Op.Match || op === Op.Fail
    const ways = ends ? [] : isAlternative(op) ? [outs[pc]!, args[pc]!] : [outs[pc]!]
    // An instruction that is met again before it is known stands in a circle.
    const ahead = open.has(pc) ? [] : ways.filter((way) => !known.has(way) && !open.has(way))
    open.add(pc)
    if (ahead.length > 0) {
      waiting.push(...ahead)
      continue
    }
    waiting.pop()
    if (!known.has(pc)) known.set(pc, ends ? 0 : (takes(op) ? 2 : 0) + Math.max(...ways.map(lengthAfter)))
  }
  return lengthAfter(start)
}
