import type { Part, ReasoningPart, ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { anthropicMessagesId } from "../anthropic-messages/wire.ts"
import type { JsonObject } from "../open-document.ts"
import { argumentsObject } from "../ToolArguments.ts"
import { failedBeyondWords, withToldFailure } from "../ToolFailure.ts"
import { encodeMedia } from "./encode-media.ts"
import { encodeText } from "./encode-text.ts"
import type { ConverseEncoding } from "./encoding.ts"
import { encodeRedacted } from "./redacted.ts"
import { bedrockConverseId } from "./wire.ts"

/** The blocks that a part of a message stands for, with the cache point behind it. */
export const encodePart = (part: Part, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  const blocks = encodeContent(part, encoding)
  if (!("cache" in part) || blocks.length === 0) return blocks
  const behind = part._tag === "ToolCall" || part._tag === "ToolResult" ? "tools" : "words"
  return [...blocks, ...encoding.cachePoint(part.cache, behind)]
}

const encodeContent = (part: Part, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  if (part._tag !== "Media" && part._tag !== "Text" && "extensions" in part) encoding.own(part.extensions)
  switch (part._tag) {
    case "Text":
      return encodeText(part, encoding)
    case "Refusal":
      return encodeText({ _tag: "Text", text: part.text }, encoding)
    case "Media":
      return encodeMedia(part, encoding)
    case "Reasoning":
      return encodeReasoning(part, encoding)
    case "ToolCall":
      return [encodeToolCall(part, encoding)]
    case "ToolResult":
      return encodeToolResult(part, encoding)
    case "Opaque":
      return encoding.ownBlocks(part)
  }
}

/**
 * The API takes back only what was signed for it, and only Claude does: other models refuse to be told what was thought. Its
 * proofs hold on every platform that has it, so that those which the Messages API gave, or which a caller of that API gives
 * back, are taken too.
 */
const encodeReasoning = (part: ReasoningPart, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  const { text, signature, redacted, origin } = part
  const { family } = encoding.traits
  const claude = family === "claude" || family === "unknown"
  if (claude && (origin === bedrockConverseId || origin === anthropicMessagesId)) {
    if (redacted !== undefined) return [{ reasoningContent: { redactedContent: encodeRedacted({ redacted, origin }) } }]
    if (signature !== undefined) return [{ reasoningContent: { reasoningText: { text, signature } } }]
  }
  encoding.dropped("reasoning of an earlier turn", "the Converse API takes back only what was signed for it")
  return []
}

const encodeToolCall = (part: ToolCallPart, encoding: ConverseEncoding): JsonObject => {
  return {
    toolUse: { toolUseId: encoding.callIds.call(part.id), name: part.name, input: argumentsObject(part, encoding) }
  }
}

/** Only some families know the status of a result, and media in it; with a failure they take texts, some and nothing else. */
const encodeToolResult = (part: ToolResultPart, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  const plain = encoding.traits.family === "other"
  const { callId, isError, content } = plain || failedBeyondWords(part) ? withToldFailure(part, encoding) : part
  const toolUseId = encoding.callIds.result(callId)
  const shown = plain ? content.filter(({ _tag }) => _tag === "Media") : []
  // Nothing within a result can be cached by itself.
  const blocks = content.flatMap((piece) => (shown.includes(piece) ? [] : encodeContent(piece, encoding)))
  const result = (words: ReadonlyArray<JsonObject>): JsonObject => ({
    toolResult: { toolUseId, content: words, ...(isError === true ? { status: "error" } : {}) }
  })
  if (shown.length === 0) return [result(blocks)]
  encoding.add("emulated", "media in the result of a tool: they follow the results of that turn")
  return [
    result(blocks.length === 0 ? [{ text: "It follows." }] : blocks),
    { text: `The result of the tool call ${toolUseId} contains:` },
    ...shown.flatMap((piece) => encodeContent(piece, encoding))
  ]
}
