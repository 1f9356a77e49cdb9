import { argumentsObject } from "../ToolArguments.ts"
import type { MediaPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Marked } from "../Encoding.ts"
import { imageTypeOf } from "../image-types.ts"
import { fieldsOf, isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import type { MessagesEncoding } from "./encoding.ts"
import { ownExtension } from "./extension.ts"
import { passagesOf } from "./passages.ts"
import { failedBeyondWords, withToldFailure } from "../ToolFailure.ts"
import { anthropicMessagesId } from "./wire.ts"

/** The fields that any block, tool or message may have besides its own. */
export const markers = ({ cache, extensions }: Marked, encoding: MessagesEncoding): JsonObject => {
  const { block: _, ...own } = encoding.own(extensions)
  return { ...(cache === undefined ? {} : { cache_control: { type: "ephemeral", ...cache } }), ...own }
}

/** The blocks that a part stands for: one, or none where it cannot be said. */
export const encodePart = (part: Part, encoding: MessagesEncoding): ReadonlyArray<JsonObject> => {
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
      return [encodeToolResult(part, encoding)]
    case "Opaque":
      return encoding.ownBlocks(part)
  }
}

const encodeText = (part: TextPart, encoding: MessagesEncoding): ReadonlyArray<JsonObject> => {
  const more = markers(part, encoding)
  // The API refuses the whole request for a text of nothing but white space.
  if (part.text.trim() === "") return []
  const block = ownExtension(part.extensions)["block"]
  if (!isObject(block)) return [{ type: "text", text: part.text, ...more }]
  const { text } = part
  if (block["type"] === "compaction") return [{ ...block, content: text, ...more }]
  if (block["type"] === "tool_reference") return [{ ...block, tool_name: text, ...more }]
  if (block["type"] === "search_result") {
    return [{ ...block, content: passagesOf(block["content"], text) ?? [{ type: "text", text }], ...more }]
  }
  const source = fieldsOf(block["source"])
  const said = source["type"] === "content" ? { content: passagesOf(source["content"], text) ?? text } : { data: text }
  return [{ ...block, source: { ...source, ...said }, ...more }]
}

const encodeMedia = (part: MediaPart, encoding: MessagesEncoding): ReadonlyArray<JsonObject> => {
  const { source: ownSource, ...more } = markers(part, encoding)
  const sourceOf = (mediaType: string): JsonObject => ({
    ...mediaSource(part, mediaType),
    ...fieldsOf(ownSource)
  })
  const { kind, mediaType, source, filename } = part
  if (source._tag === "FileId" && !encoding.holds(source.id, "id")) return []
  if (part.detail !== undefined && part.detail !== "auto") encoding.dropped("the detail of an image")
  if (kind === "image" || mediaType?.startsWith("image/") === true) {
    return [{ type: "image", source: sourceOf(imageType(part)), ...more }]
  }
  const title = present({ title: filename })
  if (kind === "audio") encoding.unsupported("audio input")
  else if (mediaType === undefined || mediaType === "application/pdf") {
    return [{ type: "document", source: sourceOf("application/pdf"), ...title, ...more }]
  } else if (mediaType.startsWith("text/") && source._tag === "Base64") {
    const data = Buffer.from(source.data, "base64").toString("utf8")
    return [{ type: "document", source: { type: "text", media_type: "text/plain", data }, ...title, ...more }]
  } else encoding.unsupported(`files of the type ${mediaType}`)
  return []
}

const mediaSource = ({ source }: MediaPart, mediaType: string): JsonObject => {
  switch (source._tag) {
    case "Base64":
      return { type: "base64", media_type: mediaType, data: source.data }
    case "Url":
      return { type: "url", url: source.url }
    case "FileId":
      return { type: "file", file_id: source.id }
  }
}

const imageType = ({ mediaType, source }: MediaPart): string => {
  // A name that many write, and the API does not know.
  if (mediaType === "image/jpg") return "image/jpeg"
  return mediaType ?? (source._tag === "Base64" ? imageTypeOf(source.data) : "image/png")
}

/** What is said of reasoning that the API would not take back, and why. */
export const notTakenBack = ["reasoning of an earlier turn", "the Messages API takes back only what it signed"] as const

/** The API takes back only what it signed or encrypted itself. */
const encodeReasoning = (part: ReasoningPart, encoding: MessagesEncoding): ReadonlyArray<JsonObject> => {
  const own = part.origin === anthropicMessagesId
  const more = markers(part, encoding)
  if (own && part.redacted !== undefined) return [{ type: "redacted_thinking", data: part.redacted, ...more }]
  if (own && part.signature !== undefined) {
    return [{ type: "thinking", thinking: part.text, signature: part.signature, ...more }]
  }
  encoding.dropped(...notTakenBack)
  return []
}

const encodeToolCall = (part: ToolCallPart, encoding: MessagesEncoding): JsonObject => {
  const input = argumentsObject(part, encoding)
  return { type: "tool_use", id: encoding.callIds.call(part.id), name: part.name, input, ...markers(part, encoding) }
}

const encodeToolResult = (result: ToolResultPart, encoding: MessagesEncoding): JsonObject => {
  // The API takes texts from a tool that failed, some and nothing else.
  const part = failedBeyondWords(result) ? withToldFailure(result, encoding) : result
  const content = part.content.flatMap((piece) => encodePart(piece, encoding))
  return {
    type: "tool_result",
    tool_use_id: encoding.callIds.result(part.callId),
    ...present({ content: unlessEmpty(content), is_error: part.isError }),
    ...markers(part, encoding)
  }
}
