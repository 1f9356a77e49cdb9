import type { FinishReason } from "../../domain/LlmEvent.ts"
import { readingBy } from "../finish-reasons.ts"
import { table } from "../../domain/table.ts"

const reasons: { readonly [finishReason: string]: FinishReason } = table({
  COMPLETE: "stop",
  STOP_SEQUENCE: "stop",
  MAX_TOKENS: "length",
  TOOL_CALL: "tool-calls"
})

/** What a finish reason means; `ERROR` and `TIMEOUT` are failures and do not get here. */
export const finishReasonOf = readingBy(reasons)
