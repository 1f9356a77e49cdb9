import type { FinishReason } from "../../domain/LlmEvent.ts"
import { reasonWithCalls } from "../finish-reasons.ts"
import { table } from "../../domain/table.ts"

const reasons: { readonly [status: string]: FinishReason } = table({
  completed: "stop",
  requires_action: "tool-calls",
  // A limit came before the end of the answer: that of the output, of one request, or of what may be spent.
  incomplete: "length",
  requires_continuation: "length",
  budget_exceeded: "length"
})

/**
 * What the status of an interaction that is over means; `failed` and `cancelled` are failures and do not get here. What the
 * model said may have `broken` all the same.
 */
export const finishReasonOf = (status: string | undefined, calledTool: boolean, broken: boolean): FinishReason => {
  const reason = reasons[status ?? ""] ?? "unknown"
  if (broken && (reason === "stop" || reason === "unknown")) return "error"
  return reasonWithCalls(reason, calledTool)
}
