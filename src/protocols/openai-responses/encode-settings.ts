import type { ReasoningSettings, ResponseFormat, Sampling } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { JsonObject } from "../open-document.ts"
import { effortFor, isOfOpenAi } from "../openai/reasoners.ts"
import type { ResponsesEncoding } from "./encoding.ts"

/** What the API has no word for. */
export const lacking = ["top_k", "seed", "frequency_penalty", "presence_penalty", "stop sequences", "n"] as const

/** The form of the answer. */
export const encodeFormat = (format: ResponseFormat | undefined): JsonObject | undefined => {
  switch (format?._tag) {
    case "Text":
      return { type: "text" }
    case "Json":
      return { type: "json_object" }
    case "JsonSchema": {
      const { name, description, schema, strict } = format
      return { type: "json_schema", name, ...present({ description, strict }), schema }
    }
    default:
      return undefined
  }
}

/** What a budget for thinking is worth as an effort. */
const effortOf = (budgetTokens: number): string =>
  budgetTokens >= 16_384 ? "high" : budgetTokens >= 4096 ? "medium" : "low"

/** How much to think. */
export const encodeReasoning = (
  settings: ReasoningSettings,
  model: string,
  encoding: ResponsesEncoding
): JsonObject => {
  const { mode, effort, budgetTokens } = settings
  const summary = settings.summary === "none" ? undefined : settings.summary
  if (effort === undefined && mode === "disabled") {
    encoding.dropped("reasoning switched off", "the models of the Responses API decide themselves, or take an effort")
    return present({ summary })
  }
  const stated = effort === undefined ? undefined : effortFor(model, effort, encoding)
  return present({ effort: stated ?? (budgetTokens === undefined ? undefined : effortOf(budgetTokens)), summary })
}

/** OpenAI refuses a smaller limit, by which callers of other APIs ask whether a model answers at all. */
const leastOutput = 16

const limitFor = (model: string, limit: number | undefined, encoding: ResponsesEncoding): number | undefined => {
  if (limit === undefined || limit >= leastOutput || !isOfOpenAi(model)) return limit
  encoding.add("changed", `a limit of ${limit} output tokens is one of ${leastOutput}: the Responses API takes no less`)
  return leastOutput
}

/** How tokens are drawn. */
export const encodeSampling = (sampling: Sampling, encoding: ResponsesEncoding): JsonObject =>
  present({
    max_output_tokens: limitFor(encoding.model, sampling.maxOutputTokens, encoding),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_logprobs: sampling.topLogprobs
  })
