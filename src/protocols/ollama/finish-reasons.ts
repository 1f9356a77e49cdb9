import type { FinishReason } from "../../domain/LlmEvent.ts"

/** `load` and `unload` end an answer to a request without messages: nothing was generated, for no reason of a model's. */
const reasons: { readonly [doneReason: string]: FinishReason } = { stop: "stop", length: "length" }

/** What a done reason means. Calls of tools end with `stop` here. */
export const finishReasonOf = (doneReason: string | undefined, calledTool: boolean): FinishReason => {
  const reason = reasons[doneReason ?? ""] ?? "unknown"
  return calledTool && reason !== "length" ? "tool-calls" : reason
}
