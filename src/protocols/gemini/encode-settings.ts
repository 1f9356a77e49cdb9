import type { LlmRequest, ReasoningSettings, Sampling } from "../../domain/LlmRequest.ts"
import type { Quirks } from "../Protocol.ts"
import { fieldsOf, isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import type { GeminiEncoding } from "./encoding.ts"
import { ownExtension, statedThinking } from "./extension.ts"
import { levelOfBudget, type ModelTraits } from "./models.ts"
import { seedOf } from "./seed.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

/** How many tokens an effort is worth where the model counts tokens. */
const budgets: { readonly [effort: string]: number } = table({
  minimal: 512,
  low: 1024,
  medium: 4096,
  high: 16_384,
  xhigh: 24_576,
  max: 24_576
})
const maxStopSequences = 5

const levels: { readonly [effort: string]: string } = table({
  minimal: "MINIMAL",
  low: "LOW",
  medium: "MEDIUM",
  high: "HIGH",
  xhigh: "HIGH",
  max: "HIGH"
})

/** How the answer is to be drawn, thought about and formed. Nothing where nothing was said of it. */
export const encodeSettings = (
  request: LlmRequest,
  quirks: Quirks,
  encoding: GeminiEncoding
): JsonObject | undefined => {
  const { generationConfig: own, [statedThinking]: stated } = ownExtension(request.extensions)
  const { thinkingConfig: ownThinking, ...more } = fieldsOf(own)
  const known = encoding.traits
  const traits: ModelTraits = quirks.adaptiveThinking === true ? { ...known, thinking: "level" } : known
  const thinkingConfig = isObject(stated)
    ? { ...stated, ...fieldsOf(ownThinking), ...ownThinkingConfig(request.reasoning ?? {}) }
    : encodeThinking(request.reasoning, traits, encoding)
  return unlessEmpty({
    ...encodeSampling(request.sampling, encoding),
    ...encodeFormat(request),
    ...present({ thinkingConfig }),
    ...more
  })
}

const encodeSampling = (sampling: Sampling, encoding: GeminiEncoding): JsonObject => {
  const stops = sampling.stopSequences
  if (stops !== undefined && stops.length > maxStopSequences) {
    encoding.dropped("stop sequences", `the Gemini API takes ${maxStopSequences} of them`)
  }
  return present({
    maxOutputTokens: sampling.maxOutputTokens,
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    seed: seedOf(sampling.seed, encoding),
    // None at all is what goes without saying, and some models refuse to be told of any.
    frequencyPenalty: sampling.frequencyPenalty || undefined,
    presencePenalty: sampling.presencePenalty || undefined,
    stopSequences: stops?.slice(0, maxStopSequences),
    candidateCount: sampling.choices,
    responseLogprobs: sampling.logprobs,
    logprobs: sampling.topLogprobs
  })
}

/** A schema goes in the field that takes JSON Schema, so that nothing of it is lost. */
const encodeFormat = ({ responseFormat }: LlmRequest): JsonObject => {
  switch (responseFormat?._tag) {
    case undefined:
      return {}
    case "Text":
      return { responseMimeType: "text/plain" }
    case "Json":
      return { responseMimeType: "application/json" }
    case "JsonSchema":
      return { responseMimeType: "application/json", responseJsonSchema: responseFormat.schema }
  }
}

/** What was said in this format's own words. */
const ownThinkingConfig = ({ mode, effort, budgetTokens }: ReasoningSettings): JsonObject => {
  const budget = mode === "disabled" ? 0 : mode === "adaptive" ? -1 : budgetTokens
  return present({ thinkingBudget: budget, thinkingLevel: effort?.toUpperCase() })
}

/** Thinking as another format asked for it, whose callers expect to see what was thought. */
const encodeThinking = (
  reasoning: ReasoningSettings | undefined,
  traits: ModelTraits,
  encoding: GeminiEncoding
): JsonObject | undefined => {
  if (reasoning === undefined || Object.keys(reasoning).length === 0) return undefined
  const { mode, effort, budgetTokens, summary } = reasoning
  const off = mode === "disabled" || budgetTokens === 0 || (mode === undefined && effort === "none")
  if (traits.thinking === "none") {
    if (!off) encoding.dropped("reasoning", "the model does not think")
    return undefined
  }
  if (off) return withoutThinking(traits, encoding)
  const includeThoughts = summary !== "none"
  if (effort !== undefined && (traits.thinking === "level" || budgetTokens === undefined)) {
    return { includeThoughts, ...encodeEffort(effort, traits, encoding) }
  }
  if (budgetTokens !== undefined) return { includeThoughts, ...encodeBudget(budgetTokens, traits, encoding) }
  return mode === "adaptive" && traits.thinking === "budget"
    ? { includeThoughts, thinkingBudget: -1 }
    : { includeThoughts }
}

const encodeEffort = (effort: string, traits: ModelTraits, encoding: GeminiEncoding): JsonObject => {
  const known = effort in levels ? effort : "medium"
  if (known !== effort) encoding.add("changed", `reasoning effort ${effort} is not known: taken for medium`)
  if (traits.thinking === "budget") return present({ thinkingBudget: budgets[known] })
  const level = known === "minimal" ? traits.leastLevel : (levels[known] ?? "MEDIUM")
  if (level.toLowerCase() !== known) {
    encoding.add("changed", `reasoning effort ${known} is ${level.toLowerCase()}: the model has no level of that name`)
  }
  return { thinkingLevel: level }
}

/** Models that think at levels refuse a budget, or do not keep to it; the others take some. */
const encodeBudget = (budget: number, traits: ModelTraits, encoding: GeminiEncoding): JsonObject => {
  if (!traits.takesBudget) {
    const level = levelOfBudget(budget)
    encoding.add("changed", `the reasoning budget of ${budget} tokens is the level ${level}`)
    return { thinkingLevel: level.toUpperCase() }
  }
  const { least = budget, most = budget } = traits.budgets ?? {}
  const nearest = Math.min(most, Math.max(least, budget))
  if (nearest !== budget) {
    encoding.add(
      "changed",
      `the reasoning budget of ${budget} tokens is ${nearest}: the model takes ${least} to ${most}`
    )
  }
  return { thinkingBudget: nearest }
}

const withoutThinking = (
  { thinking, canSkipThinking, budgets: taken, leastLevel }: ModelTraits,
  encoding: GeminiEncoding
): JsonObject => {
  if (canSkipThinking) return { thinkingBudget: 0 }
  encoding.add("emulated", "the model always thinks: it is asked to think as little as it can")
  return thinking === "budget" ? present({ thinkingBudget: taken?.least }) : { thinkingLevel: leastLevel }
}
