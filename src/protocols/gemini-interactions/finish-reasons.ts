import type { FinishReason } from "../../domain/LlmEvent.ts"

const reasons: { readonly [status: string]: FinishReason } = {
  completed: "stop",
  requires_action: "tool-calls",
  // The limit for the output came before the end of the answer.
  incomplete: "length"
}

/** What the status of an interaction that is over means; `failed` and `cancelled` are failures and do not get here. */
export const finishReasonOf = (status: string | undefined, calledTool: boolean): FinishReason => {
  const reason = reasons[status ?? ""] ?? "unknown"
  return calledTool && reason !== "length" ? "tool-calls" : reason
}
