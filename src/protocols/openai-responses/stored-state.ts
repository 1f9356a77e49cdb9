import type { LlmRequest, Requirement } from "../../domain/LlmRequest.ts"
import { fieldsOf, isObject } from "../open-document.ts"
import { ownExtension } from "./extension.ts"
import { openAiResponsesId } from "./wire.ts"

const wholeInput = "responses are not stored; send the whole input"

const unresolved = (feature: string, mend: string): Requirement => ({
  protocol: openAiResponsesId,
  feature,
  message: `${feature} cannot be resolved here: ${mend}`
})

const holdsItem = ({ messages }: LlmRequest, type: string): boolean =>
  messages.some(({ parts }) =>
    parts.some(
      (part) =>
        part._tag === "Opaque" &&
        part.protocol === openAiResponsesId &&
        isObject(part.value) &&
        part.value["type"] === type
    )
  )

/**
 * What a request needs that only the provider itself has: earlier responses, conversations, items by reference, prompt
 * templates, background work, its cache, conversations that it made shorter and encrypted.
 */
export const storedState = (request: LlmRequest): Requirement | undefined => {
  const own = ownExtension(request.extensions)
  if (own["previous_response_id"] !== undefined) return unresolved("previous_response_id", wholeInput)
  if (own["conversation"] !== undefined) return unresolved("conversation", wholeInput)
  if (own["prompt"] !== undefined) return unresolved("prompt", "templates are not stored; send instructions and input")
  if (fieldsOf(own["prompt_cache_options"])["prewarm"] === true) {
    return unresolved("prompt_cache_options.prewarm", "only the provider prepares its cache without an answer")
  }
  if (own["background"] === true) {
    return unresolved("background", "background responses are not stored; stream them")
  }
  if (holdsItem(request, "item_reference")) {
    return unresolved("item_reference", "responses are not stored; set store: false, so that whole items are sent")
  }
  if (holdsItem(request, "compaction_trigger")) {
    return unresolved(
      "compaction_trigger",
      "only the provider makes conversations shorter so that it can read them again"
    )
  }
  return holdsItem(request, "compaction")
    ? unresolved("compaction", "only who made it can read it; send all items")
    : undefined
}
