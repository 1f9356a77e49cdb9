import type { FinishReason } from "../domain/LlmEvent.ts"

/**
 * The reason of an answer that may have called tools of the client: a complete call makes it `tool-calls` where the provider
 * says that the model just stopped, or nothing. An answer that was cut or filtered stays that.
 */
export const reasonWithCalls = (reason: FinishReason, calledTool: boolean): FinishReason =>
  calledTool && (reason === "stop" || reason === "unknown") ? "tool-calls" : reason
