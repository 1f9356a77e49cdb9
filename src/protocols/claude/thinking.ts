import type { LlmRequest, ReasoningSettings } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { ClaudeTraits } from "./traits.ts"
import type { Notices } from "../Notices.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { table } from "../../domain/table.ts"

/** The least that a model may be given to think, in tokens. */
const minBudget = 1024
const mediumBudget = 4096

/** How many tokens an effort is worth where the model counts tokens. */
const budgets: { readonly [effort: string]: number } = table({
  minimal: 1024,
  low: 1024,
  medium: mediumBudget,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768
})

/** How a model is told to think, in the words of Claude's own API: the fields `thinking` and `output_config.effort`. */
export interface ThinkingPlan {
  /** whether it was asked to think */
  readonly thinks: boolean
  readonly thinking?: JsonObject
  readonly effort?: string
  /** how many tokens of the output are for thinking, where that is said */
  readonly budget?: number
}

/** What decides about thinking beside the request's settings of it. */
export interface ThinkingCircumstances {
  readonly traits: ClaudeTraits
  /** whether the model has to call a tool */
  readonly forced: boolean
  /** whether the calls that are being answered stand without the thoughts before them, see `lacksThought` */
  readonly thoughtless: boolean
  /** what the request says of `thinking` in the words of this API alone */
  readonly own?: JsonObject
  /** whether it was asked for in the words of this API: it is then as the caller wants it, and may exceed the output */
  readonly ownThinking?: boolean
  /** whether its effort was given in the words of this API: it is then not a wish to think by itself */
  readonly ownEffort?: boolean
}

/** What is said of thinking that a model refuses because of the calls before, and why. */
export const thoughtlessCalls = [
  "reasoning",
  "the calls of tools before came without the thoughts that led to them"
] as const

const silent: ThinkingPlan = { thinks: false }

/** How much the model may think, and how it is told. What it does not take is said to `said`. */
export const planThinking = (
  request: LlmRequest,
  circumstances: ThinkingCircumstances,
  said: Notices
): ThinkingPlan => {
  const { reasoning = {}, sampling } = request
  const { own = {}, ownEffort = false, ownThinking = false, traits, forced, thoughtless } = circumstances
  const { mode = wishToSee(reasoning), effort, budgetTokens } = reasoning
  // A way to think that is not known here is known to who asks for it.
  if (typeof own["type"] === "string") return { ...effortAlone(reasoning, traits, said), thinks: true, thinking: own }
  if (mode === "disabled" || (mode === undefined && effort === "none")) return offPlan(reasoning, circumstances, said)
  if (mode === undefined && budgetTokens === undefined && (effort === undefined || ownEffort)) {
    return effortAlone(reasoning, traits, said)
  }
  const wanted = present({ ...reasoning, mode })
  const way = wayOf(wanted, traits, thoughtless)
  if (way === "none") {
    said.dropped("reasoning", "the model does not think")
    return silent
  }
  if (forced && !ownThinking) {
    said.dropped("reasoning", "a model that has to call a tool cannot think before")
    return silent
  }
  if (way === "effort") return effortPlan(wanted, traits, own, said)
  if (thoughtless) {
    said.dropped(...thoughtlessCalls)
    return silent
  }
  const plan = budgetPlan(wanted, sampling.maxOutputTokens, circumstances, said)
  return ownEffort ? { ...plan, ...effortAlone(reasoning, traits, said), thinks: plan.thinks } : plan
}

/** Who says no more than that the thoughts are to be shown leaves it to the model how much it thinks. */
const wishToSee = ({ effort, budgetTokens, summary = "none" }: ReasoningSettings): "adaptive" | undefined =>
  summary === "none" || effort !== undefined || budgetTokens !== undefined ? undefined : "adaptive"

const wayOf = (
  { mode, budgetTokens }: ReasoningSettings,
  traits: ClaudeTraits,
  thoughtless: boolean
): "budget" | "effort" | "none" => {
  if (traits.thinking === "unknown") return mode === "adaptive" ? "effort" : "budget"
  if (traits.thinking !== "either") return traits.thinking
  return mode === "adaptive" || budgetTokens === undefined || thoughtless ? "effort" : "budget"
}

/** Thinking is switched off, or kept as short as it can be where the model always thinks. */
const offPlan = (
  reasoning: ReasoningSettings,
  { own, ownEffort, traits }: ThinkingCircumstances,
  said: Notices
): ThinkingPlan => {
  const asked = ownEffort === true ? effortAlone(reasoning, traits, said) : silent
  switch (traits.silence) {
    case "unsaid":
      return asked
    case "never":
      said.add("changed", "reasoning off is the effort low: the model always thinks")
      return { effort: "low", ...asked }
    case "between_tools":
      return { ...asked, thinking: { type: "between_tools" } }
    default:
      return { ...asked, thinking: { type: "disabled", ...own } }
  }
}

/** An effort that says how much work an answer is worth, and nothing of thinking. */
const effortAlone = ({ effort }: ReasoningSettings, traits: ClaudeTraits, said: Notices): ThinkingPlan => {
  if (effort === undefined || effort === "none") return silent
  if (traits.topEffort !== "none") return { thinks: false, effort: wordOf(effort, traits, said) }
  said.dropped(`effort ${effort}`, "the model knows none")
  return silent
}

/** An effort in the words that the model knows. */
const wordOf = (effort: string, traits: ClaudeTraits, said: Notices): string => {
  if (effort === "minimal") return "low"
  if (traits.topEffort === "all") return effort
  const word = effort === "xhigh" || (effort === "max" && traits.topEffort === "high") ? "high" : effort
  if (word !== effort) said.add("changed", `the effort ${effort} is ${word}: the model knows no higher one`)
  return word
}

/** The model decides how much it thinks. Newer models show their thoughts only where they are asked to. */
const effortPlan = (
  { effort, budgetTokens, mode, summary }: ReasoningSettings,
  traits: ClaudeTraits,
  own: JsonObject,
  said: Notices
): ThinkingPlan => {
  const level = effort ?? levelOf(budgetTokens)
  if (effort === undefined && level !== undefined) {
    said.add(
      "changed",
      `the reasoning budget of ${budgetTokens} tokens is the effort ${level}: the model takes no budget`
    )
  }
  const shown = traits.thinking === "effort" && summary !== undefined && summary !== "none"
  return {
    thinks: true,
    thinking: { type: "adaptive", ...(shown ? { display: "summarized" } : {}), ...(mode === undefined ? {} : own) },
    ...(level === undefined ? {} : { effort: wordOf(level, traits, said) })
  }
}

/** The effort that a budget is worth, in words that every model with efforts knows. */
export const levelOf = (budget: number | undefined): string | undefined =>
  budget === undefined ? undefined : budget <= 2048 ? "low" : budget <= 8192 ? "medium" : "high"

/**
 * Thinking counts as output. A limit that the caller set holds for both, and thinking gets at most half of it; a budget in
 * the words of this API is the caller's own affair.
 */
const budgetPlan = (
  { effort, budgetTokens, mode }: ReasoningSettings,
  limit: number | undefined,
  { own = {}, ownThinking }: ThinkingCircumstances,
  said: Notices
): ThinkingPlan => {
  const stated = (budget: number): ThinkingPlan => ({
    thinks: true,
    thinking: { type: "enabled", budget_tokens: budget, ...own },
    budget
  })
  if (ownThinking === true && budgetTokens !== undefined) return stated(budgetTokens)
  const known = effort === undefined ? mediumBudget : budgets[effort]
  if (budgetTokens === undefined && known === undefined) {
    said.add("changed", `reasoning effort ${effort} is not known: taken for medium`)
  }
  const wanted = Math.max(budgetTokens ?? known ?? mediumBudget, minBudget)
  if (mode === "adaptive") {
    said.add("changed", `adaptive thinking is a budget of ${wanted} tokens: the model does not decide itself`)
  }
  const budget = limit === undefined || wanted < limit ? wanted : Math.floor(limit / 2)
  if (budget < minBudget) {
    said.dropped("reasoning", `max_tokens leaves no room for the ${minBudget} tokens that thinking needs`)
    return silent
  }
  if (budget < wanted) {
    said.add("changed", `the reasoning budget of ${wanted} tokens is ${budget}, to fit in max_tokens`)
  }
  return stated(budget)
}

/** What a block of a turn is, where that matters here. */
export type BlockKind = "thought" | "result" | "other"

/**
 * Takes from the turns of the assistant the thoughts at their ends, as an answer has them that was cut while the model
 * thought: Claude refuses a turn that ends so. A turn may be left empty.
 */
export const endInWords = (
  turns: ReadonlyArray<{ readonly role: string; readonly content: Array<JsonObject> }>,
  kindOf: (block: JsonObject) => BlockKind,
  said: Notices
): void => {
  for (const { role, content } of turns) {
    const words =
      role === "assistant" ? content.findLastIndex((block) => kindOf(block) !== "thought") + 1 : content.length
    if (words === content.length) continue
    content.length = words
    said.dropped("reasoning of an earlier turn", "nothing was said after it")
  }
}

/**
 * Whether the calls that the last turn answers stand without the thoughts before them: a model that is given a budget to
 * think refuses them so. They are there in no turn that another model wrote, and in none of a client that does not send
 * them back. Thoughts come before the first of calls that follow each other, and need not come again.
 */
export const lacksThought = (turns: ReadonlyArray<JsonObject>, kindOf: (block: JsonObject) => BlockKind): boolean => {
  const blocksOf = ({ content }: JsonObject): ReadonlyArray<JsonObject> =>
    Array.isArray(content) ? content.filter(isObject) : []
  let first: JsonObject | undefined
  for (let at = turns.length - 1; at > 0; at -= 2) {
    const [call, answer] = [turns[at - 1], turns[at]]
    if (answer?.["role"] !== "user" || call?.["role"] !== "assistant") break
    if (!blocksOf(answer).some((block) => kindOf(block) === "result")) break
    first = call
  }
  const [block] = first === undefined ? [] : blocksOf(first)
  return block !== undefined && kindOf(block) !== "thought"
}
