import type { LlmRequest, Requirement } from "../../domain/LlmRequest.ts"
import { isObject } from "../open-document.ts"
import { ownExtension } from "./extension.ts"
import { openAiResponsesId } from "./wire.ts"

const wholeInput = "responses are not stored; send the whole input"

const unresolved = (feature: string, mend: string): Requirement => ({
  protocol: openAiResponsesId,
  feature,
  message: `${feature} cannot be resolved here: ${mend}`
})

/**
 * What a request needs that only the provider's own store has: earlier responses, conversations, items by reference,
 * prompt templates, background work.
 */
export const storedState = (request: LlmRequest): Requirement | undefined => {
  const own = ownExtension(request.extensions)
  if (own["previous_response_id"] !== undefined) return unresolved("previous_response_id", wholeInput)
  if (own["conversation"] !== undefined) return unresolved("conversation", wholeInput)
  if (own["prompt"] !== undefined) return unresolved("prompt", "templates are not stored; send instructions and input")
  if (own["background"] === true) {
    return unresolved("background", "background responses are not stored; stream them")
  }
  const refers = request.messages.some(({ parts }) =>
    parts.some(
      (part) =>
        part._tag === "Opaque" &&
        part.protocol === openAiResponsesId &&
        isObject(part.value) &&
        part.value["type"] === "item_reference"
    )
  )
  return refers
    ? unresolved("item_reference", "responses are not stored; set store: false, so that whole items are sent")
    : undefined
}
