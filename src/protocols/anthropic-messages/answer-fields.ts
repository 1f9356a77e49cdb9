import type { Schema } from "effect"
import type { Finish } from "../../domain/LlmEvent.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { anthropicMessagesId } from "./wire.ts"

type Json = Schema.Json

/** What an answer says of itself as a whole, beside its content and its ending: clients want all of it to be there. */
export const unsaid = { container: null, diagnostics: null, stop_details: null } as const

const kept: ReadonlyArray<string> = [...Object.keys(unsaid), "context_management", "input_transformations"]

/** What of a usage object the canonical counts say. */
const counted: ReadonlySet<string> = new Set([
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation_input_tokens",
  "output_tokens_details",
  "service_tier"
])

/**
 * What an answer says of itself as a whole that only this format has words for, so that a caller of it gets that too where a
 * stage changed something else: the container that goes on, what was cleared of the context, how tokens count beyond the
 * canonical counts. Words that a filter may have to look at are none of it: why the model declined is an event of its own.
 */
export class AnswerFields {
  private readonly fields: Record<string, Json> = {}
  private readonly usage: Record<string, Json> = {}

  /** Takes note of a document that may have such fields; what is told later wins. */
  add(document: JsonObject): void {
    for (const key of kept) {
      const value = document[key]
      if (value === undefined || value === null) continue
      this.fields[key] = key === "stop_details" && isObject(value) ? { ...value, explanation: null } : value
    }
  }

  /** Takes note of a usage object. */
  addUsage(usage: JsonObject): void {
    for (const key in usage) {
      const value = usage[key]
      if (value !== undefined && value !== null && !counted.has(key)) this.usage[key] = value
    }
  }

  /** What was noted, as an ending has it. */
  get origin(): Pick<Finish, "origin"> {
    const hasUsage = Object.keys(this.usage).length > 0
    const value = hasUsage ? { ...this.fields, usage: this.usage } : this.fields
    return Object.keys(value).length === 0 ? {} : { origin: { protocol: anthropicMessagesId, value } }
  }
}
