import type { LlmRequest, ReasoningSettings, Sampling } from "../../domain/LlmRequest.ts"
import type { Encoding } from "../Encoding.ts"
import type { Quirks } from "../Protocol.ts"
import { isObject, present, type JsonObject } from "../open-document.ts"
import { ownExtension, statedEffort } from "./extension.ts"

/** The output that is asked for where the caller set no limit and the API wants one, in tokens. */
const defaultMaxTokens = 4096
/** The least that a model may be given to think, in tokens. */
const minBudget = 1024

/** How many tokens an effort is worth where the target counts tokens. */
const budgets: { readonly [effort: string]: number } = {
  minimal: 1024,
  low: 1024,
  medium: 4096,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768
}

/** How the answer is to be drawn, thought about and formed. `forced` says that the model has to call a tool. */
export const encodeSettings = (
  request: LlmRequest,
  quirks: Quirks,
  forced: boolean,
  encoding: Encoding
): JsonObject & { readonly max_tokens: number } => {
  const { sampling } = request
  const plan = planThinking(request, quirks, forced, encoding)
  const config = outputConfig(request, plan.effort)
  return {
    max_tokens: plan.maxTokens,
    ...present({ thinking: plan.thinking, output_config: Object.keys(config).length === 0 ? undefined : config }),
    ...encodeSampling(sampling, plan.thinks, encoding)
  }
}

interface ThinkingPlan {
  readonly maxTokens: number
  readonly thinks: boolean
  readonly thinking?: JsonObject
  /** the effort in this API's own words */
  readonly effort?: string
}

const planThinking = (request: LlmRequest, quirks: Quirks, forced: boolean, encoding: Encoding): ThinkingPlan => {
  const { reasoning = {}, sampling } = request
  const own = ownExtension(request.extensions)
  const ownEffort = own[statedEffort] === true
  const maxTokens = () => maxTokensOf(sampling, 0, encoding)
  const effort = ownEffort && reasoning.effort !== undefined ? { effort: reasoning.effort } : {}

  const stated = statedThinking(reasoning, own["thinking"])
  if (stated !== undefined) {
    return { maxTokens: maxTokens(), thinks: stated["type"] !== "disabled", thinking: stated, ...effort }
  }
  const wanted = ownEffort ? reasoning.budgetTokens : wantedBudget(reasoning, encoding)
  if (wanted === undefined) return { maxTokens: maxTokens(), thinks: false, ...effort }
  if (forced) {
    encoding.dropped("reasoning", "a model that has to call a tool cannot think before")
    return { maxTokens: maxTokens(), thinks: false, ...effort }
  }
  if (quirks.adaptiveThinking === true) {
    const level = reasoning.effort === "minimal" ? "low" : reasoning.effort
    return {
      maxTokens: maxTokens(),
      thinks: true,
      thinking: { type: "adaptive" },
      ...present({ effort: level }),
      ...effort
    }
  }
  return { ...budgetPlan(Math.max(wanted, minBudget), sampling, encoding), ...effort }
}

/** What the caller said of thinking in this API's own terms, or by switching it off. */
const statedThinking = ({ mode, effort, budgetTokens }: ReasoningSettings, own: unknown): JsonObject | undefined => {
  const more = isObject(own) ? own : {}
  if (typeof more["type"] === "string") return more
  if (mode === "disabled" || (mode === undefined && effort === "none")) return { type: "disabled", ...more }
  if (mode === "adaptive") return { type: "adaptive", ...more }
  return mode === "enabled" && budgetTokens !== undefined
    ? { type: "enabled", budget_tokens: budgetTokens, ...more }
    : undefined
}

const wantedBudget = ({ mode, effort, budgetTokens }: ReasoningSettings, encoding: Encoding): number | undefined => {
  if (budgetTokens !== undefined) return budgetTokens
  if (effort === undefined) return mode === "enabled" ? budgets["medium"] : undefined
  const budget = budgets[effort]
  if (budget === undefined) encoding.add("changed", `reasoning effort ${effort} is not known: taken for medium`)
  return budget ?? budgets["medium"]
}

/** Thinking counts as output. A limit that the caller set holds for both, and thinking gets at most half of it. */
const budgetPlan = (wanted: number, sampling: Sampling, encoding: Encoding): ThinkingPlan => {
  const limit = sampling.maxOutputTokens
  const budget = limit === undefined || wanted < limit ? wanted : Math.floor(limit / 2)
  if (budget < minBudget) {
    encoding.dropped("reasoning", `max_tokens leaves no room for the ${minBudget} tokens that thinking needs`)
    return { maxTokens: maxTokensOf(sampling, 0, encoding), thinks: false }
  }
  if (budget < wanted)
    encoding.add("changed", `the reasoning budget of ${wanted} tokens is ${budget}, to fit in max_tokens`)
  return {
    maxTokens: maxTokensOf(sampling, budget, encoding),
    thinks: true,
    thinking: { type: "enabled", budget_tokens: budget }
  }
}

const maxTokensOf = (sampling: Sampling, budget: number, encoding: Encoding): number => {
  if (sampling.maxOutputTokens !== undefined) return sampling.maxOutputTokens
  encoding.dropped(
    "an unlimited output",
    `the Messages API wants max_tokens, and ${defaultMaxTokens + budget} were asked for`
  )
  return defaultMaxTokens + budget
}

const outputConfig = ({ responseFormat, extensions }: LlmRequest, effort: string | undefined): JsonObject => {
  const own = ownExtension(extensions)["output_config"]
  const format =
    responseFormat?._tag === "JsonSchema" ? { type: "json_schema", schema: responseFormat.schema } : undefined
  return { ...(isObject(own) ? own : {}), ...present({ effort, format }) }
}

/** How tokens are drawn. A model that thinks draws them in its own way. */
const encodeSampling = (sampling: Sampling, thinks: boolean, encoding: Encoding): JsonObject => {
  const stops = sampling.stopSequences?.filter((sequence) => sequence.trim() !== "")
  if (stops?.length !== sampling.stopSequences?.length) {
    encoding.dropped("a stop sequence", "the Messages API refuses those of nothing but white space")
  }
  const left = (key: string, value: number | undefined, allowed: boolean) => {
    if (value === undefined || allowed) return value
    encoding.dropped(key, "it cannot be set for a model that thinks")
    return undefined
  }
  dropUnknown(sampling, encoding)
  return present({
    temperature: left("temperature", temperatureOf(sampling, encoding), !thinks || sampling.temperature === 1),
    top_p: left("top_p", sampling.topP, !thinks || (sampling.topP ?? 1) >= 0.95),
    top_k: left("top_k", sampling.topK, !thinks),
    stop_sequences: stops === undefined || stops.length === 0 ? undefined : stops
  })
}

const temperatureOf = ({ temperature }: Sampling, encoding: Encoding): number | undefined => {
  if (temperature === undefined || (temperature >= 0 && temperature <= 1)) return temperature
  const nearest = temperature > 1 ? 1 : 0
  encoding.add("changed", `temperature ${temperature} is ${nearest}: the Messages API goes from 0 to 1`)
  return nearest
}

const dropUnknown = (sampling: Sampling, encoding: Encoding): void => {
  if (sampling.seed !== undefined) encoding.dropped("seed")
  if (sampling.frequencyPenalty) encoding.dropped("frequency_penalty")
  if (sampling.presencePenalty) encoding.dropped("presence_penalty")
  if ((sampling.choices ?? 1) > 1) encoding.dropped("n")
  if (sampling.logprobs === true) encoding.dropped("logprobs")
  if (sampling.topLogprobs) encoding.dropped("top_logprobs")
}
