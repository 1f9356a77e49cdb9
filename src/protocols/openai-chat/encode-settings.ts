import type { LlmRequest, ReasoningSettings, ResponseFormat, Sampling } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { JsonObject } from "../open-document.ts"
import { endUser, tierFor } from "../openai/account.ts"
import { effortFor, isOfOpenAi } from "../openai/reasoners.ts"
import type { ChatEncoding } from "./encoding.ts"

/** The form of the answer. */
export const encodeFormat = (format: ResponseFormat): JsonObject => {
  switch (format._tag) {
    case "Text":
      return { type: "text" }
    case "Json":
      return { type: "json_object" }
    case "JsonSchema": {
      const { name, description, schema, strict } = format
      return { type: "json_schema", json_schema: { name, ...present({ description, strict }), schema } }
    }
  }
}

/** Whether settings switch thinking off. */
export const isOff = ({ mode, effort }: ReasoningSettings): boolean =>
  effort === undefined ? mode === "disabled" : effort === "none"

/** Whether to think, where the server is told that by itself, and how much. */
export const encodeThinking = (reasoning: ReasoningSettings, model: string, encoding: ChatEncoding): JsonObject => {
  const { mode, effort } = reasoning
  const { effortSwitch, noReasoningEffort, thinkingSwitch } = encoding.quirks
  if (effortSwitch === true) return present({ reasoning_effort: switchOf(reasoning, encoding) })
  if (thinkingSwitch === true && isOff(reasoning)) return { thinking: { type: "disabled" } }
  const wanted = mode === "enabled" || effort !== undefined
  const thinking = thinkingSwitch === true && wanted ? { type: "enabled" } : undefined
  if (noReasoningEffort !== true) return present({ thinking, reasoning_effort: effortOf(reasoning, model, encoding) })
  if (wanted) encoding.refused("reasoning_effort")
  return present({ thinking })
}

/** Whether to think, for a server that can be told no more. */
const switchOf = (reasoning: ReasoningSettings, encoding: ChatEncoding): string | undefined => {
  const { mode, effort, budgetTokens } = reasoning
  if (isOff(reasoning)) return "none"
  if (effort === "default") return effort
  if ((effort ?? budgetTokens) !== undefined) encoding.add("changed", "how much to think is left to the model")
  return mode === "enabled" || effort !== undefined ? "default" : undefined
}

/** An effort as the caller gave it; a budget of tokens is worth the effort that would have been given so many. */
const effortOf = (
  { mode, effort, budgetTokens, summary }: ReasoningSettings,
  model: string,
  encoding: ChatEncoding
): string | undefined => {
  if ((summary ?? "none") !== "none") encoding.dropped("reasoning summary")
  if (effort !== undefined) return effortFor(model, effort, encoding)
  if (mode === "disabled") {
    encoding.dropped("reasoning disabled", "Chat Completions leaves it to the model")
    return undefined
  }
  if (budgetTokens === undefined) return mode === "enabled" ? "medium" : undefined
  const worth = budgetTokens <= 1024 ? "low" : budgetTokens <= 4096 ? "medium" : "high"
  encoding.add("changed", `a reasoning budget of ${budgetTokens} tokens is the effort ${worth}`)
  return worth
}

/** What of a request concerns the account that it is for. */
export const encodeAccount = ({ serviceTier, user }: LlmRequest, encoding: ChatEncoding): JsonObject => {
  return encoding.native
    ? present({ service_tier: serviceTier, user })
    : present({ service_tier: tierFor(serviceTier), user: endUser(user, encoding) })
}

/** What a caller keeps with an answer: OpenAI keeps it only with answers that it stores. */
export const encodeMetadata = (
  metadata: LlmRequest["metadata"],
  stored: unknown,
  encoding: ChatEncoding
): LlmRequest["metadata"] => {
  if (metadata === undefined || encoding.native || stored === true || !isOfOpenAi(encoding.model)) return metadata
  encoding.dropped("metadata", "OpenAI takes it only with answers that it stores")
  return undefined
}

/** How tokens are drawn. */
export const encodeSampling = (sampling: Sampling, encoding: ChatEncoding): JsonObject => {
  const { maxOutputTokens, topK } = sampling
  const { quirks } = encoding
  if (topK !== undefined && !encoding.native) encoding.dropped("top_k")
  const legacy = quirks.legacyMaxTokens === true
  const renamed = quirks.randomSeed === true
  return present({
    max_tokens: legacy ? maxOutputTokens : undefined,
    max_completion_tokens: legacy ? undefined : maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: encoding.native ? topK : undefined,
    seed: renamed ? undefined : sampling.seed,
    random_seed: renamed ? sampling.seed : undefined,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    stop: sampling.stopSequences,
    n: sampling.choices,
    logprobs: sampling.logprobs,
    top_logprobs: sampling.topLogprobs
  })
}
