import type { ReasoningSettings } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { mark } from "../foreign-fields.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { tokenCount } from "../token-counts.ts"
import type { ChatRequest } from "./wire.ts"

/** How a caller said how much to think, where not by the one field that OpenAI has for it. */
export const statedReasoning = mark("reasoning")

interface Taken {
  readonly reasoning: ReasoningSettings | undefined
  readonly rest: JsonObject
}

/**
 * How much to think, as callers of this format say it: in `reasoning_effort`, in `reasoning` to routers (OpenRouter, Vercel),
 * or in `thinking` to servers that took the words of Claude's API (DeepSeek, Z.ai, LiteLLM). What a caller said otherwise than
 * OpenAI is kept for servers of this format, as it was said.
 */
export const takeReasoning = ({ reasoning_effort: effort, rest }: ChatRequest): Taken => {
  const { reasoning, thinking, ...others } = rest ?? {}
  const routed = isObject(reasoning) ? routedSettings(reasoning) : {}
  const claude = isObject(thinking) ? claudeSettings(thinking) : {}
  const settings: ReasoningSettings = { ...claude, ...routed, ...(effort ? { effort } : {}) }
  if (Object.keys({ ...routed, ...claude }).length === 0) {
    return { reasoning: effort ? { effort } : undefined, rest: rest ?? {} }
  }
  const fields = present({ reasoning, thinking })
  return {
    reasoning: settings,
    rest: { ...others, [statedReasoning]: { ...fields, ...present({ effort: effort || undefined }) } }
  }
}

const routedSettings = ({ effort, enabled, max_tokens: budget }: JsonObject): ReasoningSettings => ({
  ...(typeof enabled === "boolean" && !effort && !budget ? { mode: enabled ? "enabled" : "disabled" } : {}),
  ...(typeof effort === "string" && effort !== "" ? { effort } : {}),
  ...present({ budgetTokens: tokenCount(budget) })
})

const claudeSettings = ({ type, budget_tokens: budget }: JsonObject): ReasoningSettings =>
  type === "enabled" || type === "disabled" || type === "adaptive"
    ? { mode: type, ...present({ budgetTokens: tokenCount(budget) }) }
    : {}

/** What a server of this format is told as it was said, and what it is told in OpenAI's words. */
export const restoredReasoning = (
  stated: unknown,
  reasoning: ReasoningSettings | undefined
): { readonly fields: JsonObject; readonly reasoning: ReasoningSettings | undefined } => {
  if (!isObject(stated)) return { fields: {}, reasoning }
  const { effort, ...fields } = fieldsOf(stated)
  return { fields, reasoning: typeof effort === "string" ? { effort } : undefined }
}
