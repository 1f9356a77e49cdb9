import type { Call } from "./Call.ts"
import type { Delivery, LlmRequest } from "./LlmRequest.ts"

/** The simplest request: one user message to a model. */
export const prompt = (model: string, text: string): LlmRequest => ({
  model,
  messages: [{ role: "user", parts: [{ _tag: "Text", text }] }],
  sampling: {}
})

/** A call that a program makes itself, on nobody's behalf. */
export const callOf = (request: LlmRequest, delivery: Delivery = "stream"): Call => ({ request, delivery, caller: {} })
