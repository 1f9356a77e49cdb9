import type { LlmRequest, ReasoningSettings, Sampling } from "../../domain/LlmRequest.ts"
import type { Encoding } from "../Encoding.ts"
import { dropSettings } from "../LackingSettings.ts"
import type { JsonObject } from "../open-document.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

/** How the answer is to be drawn, thought about and formed. */
export const encodeSettings = (request: LlmRequest, encoding: Encoding): JsonObject => {
  const { sampling, reasoning, responseFormat } = request
  dropSettings(request, ["service_tier", "user", "metadata", "n", "top_logprobs"], encoding)
  return {
    ...encodeSampling(sampling, encoding),
    ...present({
      response_format: formatOf(responseFormat),
      thinking: reasoning === undefined ? undefined : thinkingOf(reasoning, encoding)
    })
  }
}

const formatOf = (format: LlmRequest["responseFormat"]): JsonObject | undefined => {
  switch (format?._tag) {
    case "Json":
      return { type: "json_object" }
    case "JsonSchema":
      return { type: "json_object", json_schema: format.schema }
    default:
      return undefined
  }
}

/** How many stop sequences are taken. */
const maxStops = 5

const encodeSampling = (sampling: Sampling, encoding: Encoding): JsonObject => {
  const stops = sampling.stopSequences
  if (stops !== undefined && stops.length > maxStops) {
    encoding.dropped("a stop sequence", `the Cohere API takes ${maxStops} of them`)
  }
  return present({
    max_tokens: sampling.maxOutputTokens,
    temperature: sampling.temperature,
    p: encoding.within("top_p", sampling.topP, 0.01, 0.99),
    k: encoding.within("top_k", sampling.topK, 0, 500),
    seed: sampling.seed,
    frequency_penalty: encoding.within("frequency_penalty", sampling.frequencyPenalty, 0, 1),
    presence_penalty: encoding.within("presence_penalty", sampling.presencePenalty, 0, 1),
    stop_sequences: stops?.slice(0, maxStops),
    logprobs: sampling.logprobs
  })
}

/** How many tokens an effort is worth; those that are not listed think as much as they want. */
const budgets: { readonly [effort: string]: number } = table({ minimal: 1024, low: 1024, medium: 4096, high: 16_384 })

const thinkingOf = (
  { mode, effort, budgetTokens, summary }: ReasoningSettings,
  encoding: Encoding
): JsonObject | undefined => {
  if ((summary ?? "none") !== "none") encoding.dropped("a summary of reasoning")
  if (mode === "disabled" || (mode === undefined && effort === "none")) return { type: "disabled" }
  if (mode === undefined && effort === undefined && budgetTokens === undefined) return undefined
  return { type: "enabled", ...present({ token_budget: budgetTokens ?? budgets[effort ?? ""] }) }
}
