import type { Schema } from "effect"
import type { Finish } from "../../domain/LlmEvent.ts"
import type { JsonObject } from "../open-document.ts"
import { openAiResponsesId } from "./wire.ts"

const kept = [
  "access_programs",
  "completed_at",
  "conversation",
  "image",
  "moderation",
  "prompt_cache_diagnostics",
  "prompt_cache_options",
  "prompt_cache_retention",
  "tool_usage"
]

/**
 * What a response says of itself as a whole that only this API has words for, as an ending has it, so that a caller of it
 * gets that too where a stage changed something else. Nothing of it is a text that anybody wrote.
 */
export const saidOfAnswer = (response: JsonObject): Pick<Finish, "origin"> => {
  const fields: Record<string, Schema.Json> = {}
  for (const name of kept) {
    const value = response[name]
    if (value !== undefined && value !== null) fields[name] = value
  }
  // Nothing is stored here, but what the provider stored may be asked for there.
  if (response["store"] === true) fields["store"] = true
  return Object.keys(fields).length === 0 ? {} : { origin: { protocol: openAiResponsesId, value: fields } }
}
