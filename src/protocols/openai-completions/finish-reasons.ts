import type { FinishReason } from "../../domain/LlmEvent.ts"
import { table } from "../../domain/table.ts"

const reasons: { readonly [finishReason: string]: FinishReason } = table({
  stop: "stop",
  length: "length",
  content_filter: "content-filter"
})

/** What a finish reason means. */
export const finishReasonOf = (finishReason: string | undefined): FinishReason =>
  reasons[finishReason ?? ""] ?? "unknown"
