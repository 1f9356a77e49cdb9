import type { Schema } from "effect"
import type { LlmRequest, ReasoningSettings, Sampling } from "../../domain/LlmRequest.ts"
import type { Encoding } from "../Encoding.ts"
import { dropSettings } from "../LackingSettings.ts"
import { levelOfBudget, traitsOf } from "../gemini/models.ts"
import { seedOf } from "../gemini/seed.ts"
import type { JsonObject } from "../open-document.ts"
import { offeredAmong } from "../ToolSubset.ts"
import { geminiInteractionsId } from "./wire.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

/** What the API has no word for. */
const lacking = ["user", "metadata", "n", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs"] as const

/** How the answer is to be drawn, thought about and formed. `hasTools` says that there is something to choose from. */
export const encodeSettings = (
  request: LlmRequest,
  model: string,
  hasTools: boolean,
  encoding: Encoding
): JsonObject & { readonly generation_config: JsonObject } => {
  dropSettings(request, lacking, encoding)
  return {
    generation_config: {
      ...encodeSampling(request.sampling, encoding),
      ...thinkingOf(request.reasoning ?? {}, model, encoding),
      ...present({ tool_choice: hasTools ? choiceOf(request) : undefined })
    },
    ...present({
      response_format: formatOf(request.responseFormat),
      service_tier: serviceTierOf(request.serviceTier, encoding)
    })
  }
}

const encodeSampling = (sampling: Sampling, encoding: Encoding): JsonObject => {
  return present({
    max_output_tokens: sampling.maxOutputTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    seed: seedOf(sampling.seed, encoding),
    stop_sequences: sampling.stopSequences
  })
}

const choiceOf = ({ toolChoice: choice, tools }: LlmRequest): Schema.Json | undefined => {
  switch (choice?._tag) {
    case "None":
      return "none"
    case "Auto":
      return choice.among === undefined ? undefined : allowedTools("auto", choice.among, tools)
    case "Required":
      return choice.among === undefined ? "any" : allowedTools("any", choice.among, tools)
    case "Tool":
      return { allowed_tools: { mode: "any", tools: [choice.name] } }
    default:
      return undefined
  }
}

const allowedTools = (mode: "auto" | "any", among: ReadonlyArray<string>, tools: LlmRequest["tools"]): Schema.Json => {
  const names = offeredAmong(among, tools, geminiInteractionsId)
  return names.length === 0 ? "none" : { allowed_tools: { mode, tools: names } }
}

/** The format of each kind of output that is wanted; here it is always one, of text. */
const formatOf = (format: LlmRequest["responseFormat"]): Schema.Json | undefined => {
  switch (format?._tag) {
    case "Json":
      return [{ type: "text", mime_type: "application/json" }]
    case "JsonSchema":
      return [{ type: "text", mime_type: "application/json", schema: format.schema }]
    default:
      return undefined
  }
}

const levels: { readonly [effort: string]: string } = table({
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high"
})

/** Models think at levels, and none of them is silence. Who asks for thinking expects to see what was thought. */
const thinkingOf = (
  { mode, effort, budgetTokens, summary }: ReasoningSettings,
  model: string,
  encoding: Encoding
): JsonObject => {
  const least = traitsOf(model).leastLevel.toLowerCase()
  const summaries = summary === "none" ? "none" : "auto"
  if (mode === "disabled" || budgetTokens === 0 || (mode === undefined && effort === "none")) {
    encoding.add("emulated", "thinking cannot be switched off: the model is asked to think as little as it can")
    return { thinking_level: least, thinking_summaries: "none" }
  }
  if (effort !== undefined) {
    const level = effort === "minimal" ? least : (levels[effort] ?? "medium")
    if (level !== effort) encoding.add("changed", `reasoning effort ${effort} is ${level}`)
    return { thinking_level: level, thinking_summaries: summaries }
  }
  if (budgetTokens !== undefined) {
    const level = levelOfBudget(budgetTokens)
    encoding.add("changed", `the reasoning budget of ${budgetTokens} tokens is the level ${level}`)
    return { thinking_level: level, thinking_summaries: summaries }
  }
  return mode === undefined && summary === undefined ? {} : { thinking_summaries: summaries }
}

const tiers = new Set(["flex", "standard", "priority"])

const serviceTierOf = (tier: string | undefined, encoding: Encoding): string | undefined => {
  if (tier === undefined || tier === "auto") return undefined
  if (tier === "default" || tier === "standard_only") return "standard"
  if (tiers.has(tier)) return tier
  encoding.dropped(`service_tier ${tier}`)
  return undefined
}
