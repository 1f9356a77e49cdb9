import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import { isObject } from "../open-document.ts"
import { ownExtension } from "./extension.ts"
import { openAiResponsesId } from "./wire.ts"

const wholeInput = "responses are not stored; send the whole input"

const unresolved = (feature: string, mend: string): LlmError =>
  failure({ _tag: "Unsupported", feature }, `${feature} cannot be resolved here: ${mend}`)

/**
 * What a request needs that only the provider's own store has, as the failure to answer with where the call does not go
 * to a server of this format: earlier responses, conversations, items by reference, prompt templates, background work.
 */
export const unresolvable = (request: LlmRequest): LlmError | undefined => {
  const own = ownExtension(request.extensions)
  if (own["previous_response_id"] !== undefined) return unresolved("previous_response_id", wholeInput)
  if (own["conversation"] !== undefined) return unresolved("conversation", wholeInput)
  if (own["prompt"] !== undefined) return unresolved("prompt", "templates are not stored; send instructions and input")
  if (own["background"] === true) {
    return failure(
      { _tag: "Unsupported", feature: "background" },
      "background responses are not stored here; stream them"
    )
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
