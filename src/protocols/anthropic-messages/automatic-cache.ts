import type { LlmRequest, Message, Part } from "../../domain/LlmRequest.ts"
import { isObject } from "../open-document.ts"
import { ownExtension } from "./extension.ts"
import { anthropicMessagesId } from "./wire.ts"

type Markable = Exclude<Part, { readonly _tag: "Opaque" | "Refusal" | "Reasoning" }>

const isMarkable = (part: Part): part is Markable =>
  part._tag !== "Opaque" && part._tag !== "Refusal" && part._tag !== "Reasoning" && part.cache === undefined

/**
 * A request whose prompt is to be cached as a whole, for a server that knows markers alone: the marker stands at the end of
 * the conversation, where this API puts it by itself. The same request where that is not asked for.
 */
export const withMarkedEnd = (request: LlmRequest): LlmRequest => {
  const { cache_control: control, ...own } = ownExtension(request.extensions)
  if (!isObject(control)) return request
  const { ttl } = control
  const cache = typeof ttl === "string" ? { ttl } : {}
  const { messages } = request
  const last = messages.at(-1)
  return {
    ...request,
    messages: last === undefined ? messages : [...messages.slice(0, -1), marked(last, cache)],
    extensions: { ...request.extensions, [anthropicMessagesId]: own }
  }
}

const marked = (message: Message, cache: { readonly ttl?: string }): Message => {
  const at = message.parts.findLastIndex((part) => "cache" in part || isMarkable(part))
  return {
    ...message,
    parts: message.parts.map((part, i) => (i === at && isMarkable(part) ? { ...part, cache } : part))
  }
}
