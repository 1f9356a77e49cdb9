import type { LlmRequest, ReasoningSettings } from "../../domain/LlmRequest.ts"
import { present, type JsonObject } from "../open-document.ts"
import type { ConverseEncoding } from "./encode-parts.ts"

/** The least that a model may be given to think, in tokens. */
const minBudget = 1024

/** How many tokens an effort is worth where the model counts tokens. */
const budgets: { readonly [effort: string]: number } = {
  minimal: 1024,
  low: 1024,
  medium: 4096,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768
}
const mediumBudget = 4096

/** What `additionalModelRequestFields` say of thinking, and whether the model will think. */
export interface Thinking {
  readonly fields: JsonObject
  readonly thinks: boolean
}

const silent: Thinking = { fields: {}, thinks: false }

/**
 * How much the model may think, in the fields of Claude's own API: `thinking`, and for an effort `output_config`. The API
 * has no field for it that all models share. `forced` says that the model has to call a tool.
 */
export const encodeThinking = (
  { reasoning, sampling }: LlmRequest,
  adaptive: boolean,
  forced: boolean,
  encoding: ConverseEncoding
): Thinking => {
  if (reasoning === undefined) return silent
  const { traits } = encoding
  const off = reasoning.mode === "disabled" || (reasoning.mode === undefined && reasoning.effort === "none")
  if (off) return traits.thinking === "none" ? silent : { fields: { thinking: { type: "disabled" } }, thinks: false }
  if (reasoning.mode === undefined && reasoning.effort === undefined && reasoning.budgetTokens === undefined)
    return silent
  if (traits.thinking === "none" && !adaptive) {
    encoding.dropped("reasoning", "how much this model thinks cannot be said here")
    return silent
  }
  if (forced) {
    encoding.dropped("reasoning", "a model that has to call a tool cannot think before")
    return silent
  }
  const byEffort =
    adaptive || traits.thinking === "effort" || (traits.thinking === "either" && prefersEffort(reasoning))
  return byEffort ? effortPlan(reasoning, encoding) : budgetPlan(reasoning, sampling.maxOutputTokens, encoding)
}

const prefersEffort = ({ mode, budgetTokens }: ReasoningSettings): boolean =>
  mode === "adaptive" || budgetTokens === undefined

const effortPlan = ({ effort, budgetTokens }: ReasoningSettings, encoding: ConverseEncoding): Thinking => {
  const level = effort === "minimal" ? "low" : (effort ?? levelOf(budgetTokens))
  if (effort === undefined && budgetTokens !== undefined) {
    encoding.add(
      "changed",
      `the reasoning budget of ${budgetTokens} tokens is the effort ${level}: the model takes no budget`
    )
  }
  const effortField = level === undefined ? {} : { output_config: { effort: level } }
  return { fields: { thinking: { type: "adaptive" }, ...effortField }, thinks: true }
}

const levelOf = (budget: number | undefined): string | undefined =>
  budget === undefined ? undefined : budget <= 2048 ? "low" : budget <= 8192 ? "medium" : "high"

/** Thinking counts as output: within the limit that the caller set it gets at most half. */
const budgetPlan = (
  { effort, budgetTokens }: ReasoningSettings,
  limit: number | undefined,
  encoding: ConverseEncoding
): Thinking => {
  const known = budgets[effort ?? "medium"]
  if (budgetTokens === undefined && known === undefined) {
    encoding.add("changed", `reasoning effort ${effort} is not known: taken for medium`)
  }
  const wanted = Math.max(budgetTokens ?? known ?? mediumBudget, minBudget)
  const budget = limit === undefined || wanted < limit ? wanted : Math.floor(limit / 2)
  if (budget < minBudget) {
    encoding.dropped("reasoning", `max_tokens leaves no room for the ${minBudget} tokens that thinking needs`)
    return silent
  }
  if (budget < wanted) {
    encoding.add("changed", `the reasoning budget of ${wanted} tokens is ${budget}, to fit in max_tokens`)
  }
  return { fields: present({ thinking: { type: "enabled", budget_tokens: budget } }), thinks: true }
}
