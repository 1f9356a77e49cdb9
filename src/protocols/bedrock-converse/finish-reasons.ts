import type { FinishReason } from "../../domain/LlmEvent.ts"
import { readingBy } from "../finish-reasons.ts"
import { table } from "../../domain/table.ts"

const reasons: { readonly [stopReason: string]: FinishReason } = table({
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  // Also where a guardrail only masked what it found.
  guardrail_intervened: "content-filter",
  content_filtered: "content-filter",
  refusal: "refusal",
  malformed_model_output: "error",
  malformed_tool_use: "error"
})

/** What a stop reason means. */
export const finishReasonOf = readingBy(reasons)
