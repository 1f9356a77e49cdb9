import type { FinishReason } from "../../domain/LlmEvent.ts"
import { readingBy } from "../finish-reasons.ts"
import { table } from "../../domain/table.ts"

const reasons: { readonly [raw: string]: FinishReason } = table({
  stop: "stop",
  eos: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  length: "length",
  max_tokens: "length",
  model_length: "length",
  model_context_window_exceeded: "length",
  tool_calls: "tool-calls",
  tool_use: "tool-calls",
  function_call: "tool-calls",
  content_filter: "content-filter",
  sensitive: "content-filter",
  refusal: "refusal",
  error: "error",
  insufficient_system_resource: "error",
  network_error: "error"
})

/** What a finish reason means. */
export const finishReasonOf = readingBy(reasons)

/** The word of this format for a reason; `said` is false where it has none that means the same. */
export const finishWord = (reason: FinishReason): { readonly word: string; readonly said: boolean } => {
  switch (reason) {
    case "stop":
      return { word: "stop", said: true }
    case "length":
      return { word: "length", said: true }
    case "tool-calls":
      return { word: "tool_calls", said: true }
    case "content-filter":
      return { word: "content_filter", said: true }
    // The text of a refusal stays; this is what clients take for "the model would not".
    case "refusal":
      return { word: "content_filter", said: false }
    // Not of the API itself, but of the routers that speak it.
    case "error":
      return { word: "error", said: true }
    // Clients insist on a reason, and refuse one that they do not know.
    case "pause":
    case "unknown":
      return { word: "stop", said: false }
  }
}
