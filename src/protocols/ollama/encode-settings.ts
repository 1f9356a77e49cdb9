import type { LlmRequest, ReasoningSettings, Sampling } from "../../domain/LlmRequest.ts"
import type { Encoding } from "../Encoding.ts"
import { dropSettings } from "../LackingSettings.ts"
import type { JsonObject } from "../open-document.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

/** How the answer is to be drawn, thought about and formed. `model` is the target's name for it. */
export const encodeSettings = (
  request: LlmRequest,
  model: string,
  encoding: Encoding
): JsonObject & { readonly options: JsonObject } => {
  const { sampling, reasoning, responseFormat } = request
  dropSettings(request, ["service_tier", "user", "metadata", "n"], encoding)
  return {
    ...present({
      format: formatOf(responseFormat),
      think: reasoning === undefined ? undefined : thinkOf(reasoning, model, encoding),
      logprobs: sampling.logprobs,
      top_logprobs: sampling.topLogprobs
    }),
    options: encodeOptions(sampling)
  }
}

const formatOf = (format: LlmRequest["responseFormat"]) =>
  format?._tag === "Json" ? "json" : format?._tag === "JsonSchema" ? format.schema : undefined

const encodeOptions = (sampling: Sampling): JsonObject =>
  present({
    num_predict: sampling.maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    seed: sampling.seed,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    stop: sampling.stopSequences
  })

/** The levels that a model with levels knows, by the words of callers. */
const levels: { readonly [effort: string]: string } = table({
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high"
})

/** Thinking is on or off; only some models take how much, and the others refuse the request for it. */
const takesLevels = (model: string): boolean => /gpt-oss/i.test(model)

const thinkOf = (
  { mode, effort, budgetTokens, summary }: ReasoningSettings,
  model: string,
  encoding: Encoding
): boolean | string | undefined => {
  if ((summary ?? "none") !== "none") encoding.dropped("a summary of reasoning")
  if (mode === "disabled" || (mode === undefined && effort === "none")) return false
  if (budgetTokens !== undefined) encoding.dropped("a reasoning budget")
  if (effort === undefined) return mode === undefined && budgetTokens === undefined ? undefined : true
  const level = levels[effort]
  if (level === undefined || !takesLevels(model)) {
    encoding.add("changed", `reasoning effort ${effort}: ${model} is only told to think`)
    return true
  }
  if (level !== effort) encoding.add("changed", `reasoning effort ${effort} is ${level}`)
  return level
}
