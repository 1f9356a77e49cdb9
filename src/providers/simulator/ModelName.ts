import { Result } from "effect"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import { largestCount, readOptions, type Options } from "./Options.ts"

/**
 * What simulated models do, with the number that stands for a missing one; undefined where a number means nothing.
 *
 * - `echo` says the last user message back.
 * - `words-N` writes N words that follow from the seed. `length-N` does so and ends as if a token limit had cut it.
 * - `think-N` reasons N words, signed, then writes.
 * - `fast-N` writes N pieces with no pace, all made before the first is sent.
 * - `tools-N` calls at most N of the tools that it is offered, with arguments that fit; it answers with text once
 *   the conversation ends with their results.
 * - `json` answers with a value that fits the asked schema.
 * - `refuse` declines. `empty` finishes without having said anything.
 */
const defaultCounts = {
  echo: undefined,
  words: 60,
  length: 20,
  think: 40,
  fast: 1000,
  tools: 3,
  json: undefined,
  refuse: undefined,
  empty: undefined
} as const

export type SimulatedBase = keyof typeof defaultCounts

/** A simulated model, as its name says it. `count` is 0 where the model has no number. */
export interface SimulatedModel {
  readonly name: string
  readonly base: SimulatedBase
  readonly count: number
  readonly options: Options
}

/** The names to show: one of every kind, without options. */
export const simulatedModels: ReadonlyArray<string> = [
  "echo",
  "words-60",
  "think-40",
  "tools",
  "json",
  "fast-1000",
  "length-20",
  "refuse",
  "empty"
]

const grammar = /^([a-z]+)(?:-(\d+))?$/

/** The name without its options, and the options as `readOptions` takes them. */
export const splitModelName = (name: string): { readonly bare: string; readonly options: string } => {
  const at = name.search(/[?;]/)
  return at < 0 ? { bare: name, options: "" } : { bare: name.slice(0, at), options: name.slice(at + 1) }
}

/** The name after the last slash. */
const lastOf = (bare: string): string => bare.slice(bare.lastIndexOf("/") + 1)

const isBase = (name: string): name is SimulatedBase => Object.hasOwn(defaultCounts, name)

/**
 * Reads the name of a simulated model: `<kind>[-<number>][?<option>[=<value>][&<option>…]]`, e.g. `words-60`,
 * `echo?pace=50ms`, `words-20?seed=7&reset=5`. A `;` may stand for `?` and for `&`, so that a name can stand in a URL as
 * it is: `words-20;seed=7;reset=5`. What stands before a slash says nothing here, so that a name can be that of a real
 * model to whoever goes by names: `claude-sonnet-4-5/words-20`. Fails with `UnknownModel` and the names there are, or
 * with `InvalidRequest` and the option that is wrong.
 */
export const parseModelName = (name: string): Result.Result<SimulatedModel, LlmError> => {
  const { bare, options } = splitModelName(name)
  const match = grammar.exec(lastOf(bare))
  const base = match?.[1] ?? ""
  if (!isBase(base)) return unknown(name)
  const defaultCount = defaultCounts[base]
  const count = match?.[2] === undefined ? (defaultCount ?? 0) : Number(match[2])
  if ((match?.[2] !== undefined && defaultCount === undefined) || count > largestCount) return unknown(name)
  return Result.map(readOptions(options), (options) => ({ name, base, count, options }))
}

const unknown = (model: string): Result.Result<never, LlmError> =>
  Result.fail(
    failure(
      { _tag: "UnknownModel", model, near: [...simulatedModels] },
      `the simulator has no model "${model}"; it has ${simulatedModels.join(", ")} (numbers up to ${largestCount})`
    )
  )
