import type { FinishReason } from "../domain/LlmEvent.ts"

/**
 * The reason of an answer that may have called tools of the client: a complete call makes it `tool-calls` where the provider
 * says that the model just stopped, or nothing. An answer that was cut or filtered stays that.
 */
export const reasonWithCalls = (reason: FinishReason, calledTool: boolean): FinishReason =>
  calledTool && (reason === "stop" || reason === "unknown") ? "tool-calls" : reason

/** What the words of a format mean, with the calls of tools beside them: a word that is not in `reasons` is `unknown`. */
export const readingBy =
  (reasons: { readonly [word: string]: FinishReason }) =>
  (word: string | undefined, calledTool: boolean): FinishReason =>
    reasonWithCalls(reasons[word ?? ""] ?? "unknown", calledTool)
