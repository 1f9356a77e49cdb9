import type { Notice } from "../../domain/Call.ts"
import type { Source } from "../../domain/LlmEvent.ts"
import type { Choice, LlmResponse, ResponsePart } from "../../domain/LlmResponse.ts"
import { callProof, isForeignRun } from "../CallOrigin.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownFields } from "../extensions.ts"
import { ownBlock } from "../foreign-blocks.ts"
import { Notices } from "../Notices.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { argumentsObject } from "../ToolArguments.ts"
import { unsaid } from "./answer-fields.ts"
import { citationOf, toolBlock } from "./block-writer.ts"
import { stopReasonOf } from "./finish-reasons.ts"
import { thinkingBlock } from "./thinking.ts"
import { wholeUsage } from "./usage.ts"
import { anthropicMessagesId, noCounterpart, refusalIsText } from "./wire.ts"

/** Renders a whole answer. */
export const renderWhole = (response: LlmResponse, context: RenderContext, notices: Array<Notice>): JsonObject => {
  const said = new Notices(noCounterpart, notices)
  const choice = response.choices.find(({ index }) => index === 0)
  if (response.choices.some(({ index }) => index > 0)) said.dropped("choices after the first")
  const { finish, parts = [] } = choice ?? {}
  const { usage, stop_details: details, ...own } = ownFields(finish ?? {}, anthropicMessagesId)
  const refusal = parts.flatMap((part) => (part._tag === "Refusal" ? [part.text] : []))
  const refused = refusal.length > 0
  // Why a model of this format declined is told apart from what it says.
  const apart = isObject(details)
  if (refused && !apart) said.add("emulated", refusalIsText)
  return {
    id: response.id || context.id,
    type: "message",
    role: "assistant",
    model: response.model || context.request.model,
    content: choice === undefined ? [] : contentOf(apart ? { ...choice, parts: parts.filter(isSaid) } : choice, said),
    ...unsaid,
    ...own,
    ...(apart ? { stop_details: { ...details, explanation: refusal.join("") || null } } : {}),
    stop_reason: stopReasonOf(finish ?? { reason: "unknown" }, refused, said),
    stop_sequence: finish?.stopSequence ?? null,
    usage: { ...wholeUsage(response.usage, response.serviceTier, said), ...fieldsOf(usage) }
  }
}

const isSaid = ({ _tag }: ResponsePart): boolean => _tag !== "Refusal"

/** Sources that belong to no block stand with the last text, or in an empty one: a citation cannot stand outside a block. */
const contentOf = ({ parts, sources }: Choice, said: Notices): ReadonlyArray<JsonObject> => {
  const lastText = parts.findLastIndex((part) => part._tag === "Text")
  const content = parts.flatMap((part, index) => blockOf(part, index === lastText ? sources : undefined, said))
  return sources === undefined || lastText >= 0 ? content : [...content, textBlock("", sources)]
}

const textBlock = (text: string, sources: ReadonlyArray<Source>): JsonObject => ({
  type: "text",
  text,
  ...(sources.length === 0 ? {} : { citations: sources.map(citationOf) })
})

const blockOf = (
  part: ResponsePart,
  more: ReadonlyArray<Source> | undefined,
  said: Notices
): ReadonlyArray<JsonObject> => {
  switch (part._tag) {
    case "Text":
      if (part.logprobs !== undefined) said.dropped("logprobs")
      return [textBlock(part.text, [...(part.sources ?? []), ...(more ?? [])])]
    case "Refusal":
      return [textBlock(part.text, [])]
    case "Reasoning":
      return [thinkingBlock(part.text, part)]
    case "ToolCall": {
      if (isForeignRun(part, anthropicMessagesId)) {
        said.dropped(`a call of ${part.name}, which the provider ran`)
        return []
      }
      const input = argumentsObject(part, said)
      const proof = callProof(part, anthropicMessagesId)
      return [...(proof === undefined ? [] : [thinkingBlock("", proof)]), { ...toolBlock(part), input }]
    }
    case "ToolResult":
    case "Opaque": {
      const block = ownBlock(part, anthropicMessagesId, said)
      return block === undefined ? [] : [block]
    }
    case "Media":
      said.dropped(`${part.mediaType} made by the model`)
      return []
  }
}
