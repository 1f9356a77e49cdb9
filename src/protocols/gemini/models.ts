import type { LlmRequest } from "../../domain/LlmRequest.ts"

/**
 * What the generations of models take differently. A model is known by its name alone; one whose name says nothing is taken
 * for a new one.
 */
export interface ModelTraits {
  /** whether the model thinks within a budget of tokens, at a level, or not at all */
  readonly thinking: "budget" | "level" | "none"
  /** the budgets that the model takes, in tokens; undefined where none is known to be refused */
  readonly budgets?: { readonly least: number; readonly most: number }
  /** whether a model that thinks at levels takes a budget too */
  readonly takesBudget: boolean
  /** the level at which the model thinks as little as it can */
  readonly leastLevel: "MINIMAL" | "LOW"
  /** whether thinking can be switched off */
  readonly canSkipThinking: boolean
  /** whether a function call of an earlier turn has to carry the signature of the thoughts that led to it */
  readonly wantsSignatures: boolean
  /** whether the answer of a function may hold pictures and files */
  readonly takesMediaAnswers: boolean
  /** whether instructions have a place of their own */
  readonly takesInstructions: boolean
  /** whether the answer can be held to JSON where there are functions */
  readonly formsBesideTools: boolean
}

/** Whether a model searches the web for such a request: the older ones do nothing beside it. */
export const maySearch = (model: string, { tools = [], responseFormat }: LlmRequest): boolean =>
  !/gemini-[12]\./.test(model) ||
  (tools.every(({ _tag }) => _tag === "Provider") && (responseFormat ?? text)._tag === "Text")

const text = { _tag: "Text" } as const

const older = {
  takesBudget: true,
  leastLevel: "MINIMAL",
  wantsSignatures: false,
  takesMediaAnswers: false,
  takesInstructions: true,
  formsBesideTools: false
} as const

/** The models that know the least level of all. The others refuse it, and all of them know the one above it. */
const thinksMinimally = /gemini-3(\.[0-6])?-flash|flash-lite|gemma/

/** The traits of a model. */
export const traitsOf = (model: string): ModelTraits => {
  if (/gemini-(1|2\.0)/.test(model)) return { ...older, thinking: "none", canSkipThinking: true }
  if (/gemini-2\./.test(model)) {
    const isPro = /-pro/.test(model)
    const least = isPro ? 128 : /-lite/.test(model) ? 512 : 1
    return { ...older, thinking: "budget", canSkipThinking: !isPro, budgets: { least, most: isPro ? 32_768 : 24_576 } }
  }
  return {
    thinking: "level",
    takesBudget: !/gemini|gemma/.test(model),
    leastLevel: thinksMinimally.test(model) ? "MINIMAL" : "LOW",
    canSkipThinking: false,
    wantsSignatures: /gemini/.test(model),
    takesMediaAnswers: true,
    takesInstructions: !/gemma-[1-3]/.test(model),
    formsBesideTools: true
  }
}

/** The level that a budget in tokens comes nearest to. */
export const levelOfBudget = (budget: number): "low" | "medium" | "high" =>
  budget <= 1024 ? "low" : budget <= 8192 ? "medium" : "high"
