import type {
  MediaPart,
  Message,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart
} from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { breakpointField, breakpointFor, statedBreakpoint, withoutBreakpoint } from "../openai/cache-breakpoint.ts"
import { isOfOpenAi } from "../openai/reasoners.ts"
import { textOfArguments } from "../FreeText.ts"
import type { Marked } from "../Encoding.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import type { Quirks } from "../Protocol.ts"
import { withToldFailure } from "../ToolFailure.ts"
import type { ResponsesEncoding } from "./encoding.ts"
import { answersText, takeItem } from "./extension.ts"
import { takePlace } from "./namespaces.ts"
import { itemOfAnsweredRun, itemOfCalledRun, runItem } from "./run-items.ts"
import { openAiResponsesId } from "./wire.ts"

/** The fields that this format kept for itself. Prompts are cached here without being told where. */
export const ownFields = ({ cache, extensions }: Marked, encoding: ResponsesEncoding): JsonObject => {
  if (cache !== undefined) encoding.dropped("cache markers", "the Responses API decides itself what it caches")
  return encoding.own(extensions)
}

/** As `ownFields`, for a piece of input: the one thing that may be marked here, where the model knows that. */
const pieceFields = (part: Marked, encoding: ResponsesEncoding): JsonObject => {
  const breakpoint = statedBreakpoint(part, openAiResponsesId) ?? breakpointFor(part, encoding.model)
  if (breakpoint === undefined) return ownFields(part, encoding)
  const { cache: _, ...unmarked } = part
  return { ...withoutBreakpoint(ownFields(unmarked, encoding)), [breakpointField]: breakpoint }
}

/** The items that the messages stand for, in order. */
export const encodeItems = (
  messages: ReadonlyArray<Message>,
  quirks: Quirks,
  encoding: ResponsesEncoding
): ReadonlyArray<JsonObject> => messages.flatMap((message) => encodeMessage(message, quirks, encoding))

interface OpenItem {
  readonly more: JsonObject
  readonly content: Array<JsonObject>
}

/** One message: what its texts and media say is one item, anything else is an item of its own between them. */
const encodeMessage = (message: Message, quirks: Quirks, encoding: ResponsesEncoding): ReadonlyArray<JsonObject> => {
  if (message.name !== undefined) encoding.dropped("the name of a message")
  const more = ownFields(message, encoding)
  const { role } = message
  const items: Array<JsonObject> = []
  let open: OpenItem | undefined
  const close = () => {
    if (open !== undefined) items.push(messageItem(role, open, quirks))
    open = undefined
  }
  for (const part of message.parts) {
    const whole = encodeWholeItem(part, encoding)
    if (whole !== undefined) {
      close()
      items.push(...whole)
      continue
    }
    const piece = encodePiece(part, role, encoding)
    if (piece === undefined) continue
    if (piece.item !== undefined) close()
    open ??= { more: { ...more, ...piece.item }, content: [] }
    open.content.push(piece.content)
  }
  close()
  return items
}

const messageItem = (role: Message["role"], { more, content }: OpenItem, quirks: Quirks): JsonObject => {
  const named = role === "tool" ? "user" : role === "developer" && quirks.noDeveloperRole === true ? "system" : role
  const [only, ...others] = content
  const plain = only !== undefined && others.length === 0 && Object.keys(only).every((key) => /^(type|text)$/.test(key))
  return {
    type: "message",
    role: named,
    content: plain && only["text"] !== undefined ? only["text"] : content,
    ...more
  }
}

/** Parts that are items here; undefined for those that stand within a message. */
const encodeWholeItem = (part: Part, encoding: ResponsesEncoding): ReadonlyArray<JsonObject> | undefined => {
  switch (part._tag) {
    case "Reasoning":
      return encodeReasoning(part, encoding)
    case "ToolCall":
      return [encodeToolCall(part, encoding)]
    case "ToolResult":
      return [encodeToolResult(part, encoding)]
    case "Opaque": {
      const blocks = encoding.ownBlocks(part)
      return blocks.some(isPiece) ? undefined : blocks
    }
    default:
      return undefined
  }
}

/** Whether an opaque document is a piece of a message's content and not an item: pieces are named for their direction. */
const isPiece = ({ type }: JsonObject): boolean =>
  /^(input_|output_|text$|refusal$|computer_screenshot$)/.test(String(type))

interface Piece {
  readonly content: JsonObject
  /** what the message item says of itself, where this piece begins one */
  readonly item?: JsonObject
}

const encodePiece = (part: Part, role: Message["role"], encoding: ResponsesEncoding): Piece | undefined => {
  const answer = role === "assistant"
  switch (part._tag) {
    case "Text": {
      const { item, rest: own } = takeItem(answer ? ownFields(part, encoding) : pieceFields(part, encoding))
      const content = { type: answer ? "output_text" : "input_text", text: part.text, ...own }
      return { content, ...present({ item }) }
    }
    case "Refusal":
      return { content: answer ? { type: "refusal", refusal: part.text } : { type: "input_text", text: part.text } }
    case "Media": {
      if (!answer) return pieceOf(encodeMedia(part, encoding))
      encoding.dropped("media in a turn of the model", "the Responses API takes only text back from the model")
      return undefined
    }
    case "Opaque":
      return isObject(part.value) ? { content: part.value } : undefined
    default:
      return undefined
  }
}

const pieceOf = (content: JsonObject | undefined): Piece | undefined =>
  content === undefined ? undefined : { content }

const encodeMedia = (part: MediaPart, encoding: ResponsesEncoding): JsonObject | undefined => {
  const own = pieceFields(part, encoding)
  const { kind, mediaType, source, filename } = part
  if (source._tag === "FileId" && !encoding.holds(source.id, "id")) return undefined
  if (mediaType?.startsWith("video/") === true) {
    encoding.unsupported("video input")
    return undefined
  }
  if (kind === "image" || mediaType?.startsWith("image/") === true) {
    return { type: "input_image", ...imageSource(part), detail: part.detail ?? "auto", ...own }
  }
  if (kind === "audio" || mediaType?.startsWith("audio/") === true) return encodeAudio(part, own, encoding)
  if (filename !== undefined && source._tag !== "Base64") {
    encoding.dropped("the name of a file", "the Responses API knows names of files that are sent along")
  }
  switch (source._tag) {
    case "Base64": {
      const type = mediaType ?? "application/pdf"
      const name = filename ?? (type === "application/pdf" ? "document.pdf" : "document")
      return { type: "input_file", filename: name, file_data: `data:${type};base64,${source.data}`, ...own }
    }
    case "Url":
      return { type: "input_file", file_url: source.url, ...own }
    case "FileId":
      return { type: "input_file", file_id: source.id, ...own }
  }
}

/** Servers of open models listen here; OpenAI's own models that do are asked by Chat Completions. */
const encodeAudio = (
  { mediaType, source }: MediaPart,
  own: JsonObject,
  encoding: ResponsesEncoding
): JsonObject | undefined => {
  const isSentAlong = source._tag === "Base64"
  if (isSentAlong && !isOfOpenAi(encoding.model)) {
    return { type: "input_audio", input_audio: audioOf(source.data, mediaType), ...own }
  }
  encoding.unsupported(isSentAlong ? "audio input" : "audio that is not sent along")
  return undefined
}

const imageSource = ({ source, mediaType }: MediaPart): JsonObject => {
  switch (source._tag) {
    case "Base64":
      return { image_url: `data:${mediaType ?? "image/png"};base64,${source.data}` }
    case "Url":
      return { image_url: source.url }
    case "FileId":
      return { file_id: source.id }
  }
}

const audioOf = (data: string, mediaType = "audio/wav"): JsonObject => ({
  data,
  format: /mpeg|mp3/.test(mediaType) ? "mp3" : mediaType.replace(/^audio\/(x-)?/, "")
})

/** What is said of reasoning that the API would not take back, and why. */
export const notTakenBack = [
  "reasoning of an earlier turn",
  "the Responses API takes back only what it encrypted"
] as const

/**
 * The API takes back only reasoning of its own: what it encrypted, or what a server with open thoughts said. An item that
 * it kept itself needs no more than its id.
 */
const encodeReasoning = (part: ReasoningPart, encoding: ResponsesEncoding): ReadonlyArray<JsonObject> => {
  const own = ownFields(part, encoding)
  const blob = part.signature ?? part.redacted
  if (part.origin !== openAiResponsesId || (blob === undefined && Object.keys(own).length === 0)) {
    encoding.dropped(...notTakenBack)
    return []
  }
  const summary = part.text === "" ? [] : [{ type: "summary_text", text: part.text }]
  return [{ type: "reasoning", summary, ...present({ encrypted_content: blob }), ...own }]
}

const encodeToolCall = (part: ToolCallPart, encoding: ResponsesEncoding): JsonObject => {
  const { place, rest: own } = takePlace(ownFields(part, encoding))
  const item = own[runItem]
  if (isObject(item)) return { ...itemOfCalledRun(item, part), call_id: encoding.callIds.call(part.id) }
  const named = place === undefined ? { name: part.name } : { name: place.name, namespace: place.namespace["name"] }
  const call = { call_id: encoding.callIds.call(part.id), ...present(named) }
  if (part.freeText === true) encoding.textCalls.add(part.id)
  return part.freeText === true
    ? { type: "custom_tool_call", ...call, input: textOfArguments(part.arguments), ...own }
    : { type: "function_call", ...call, arguments: part.arguments.trim() === "" ? "{}" : part.arguments, ...own }
}

const encodeToolResult = (part: ToolResultPart, encoding: ResponsesEncoding): JsonObject => {
  const { [answersText]: stated, [runItem]: item, ...own } = ownFields(part, encoding)
  if (isObject(item)) {
    const called = encoding.callIds.result(part.callId)
    return { ...itemOfAnsweredRun(item, part), ...(item["call_id"] === undefined ? {} : { call_id: called }) }
  }
  const custom = stated === true || encoding.textCalls.has(part.callId)
  return {
    type: custom ? "custom_tool_call_output" : "function_call_output",
    call_id: encoding.callIds.result(part.callId),
    output: outputOf(withToldFailure(part, encoding).content, encoding),
    ...own
  }
}

const outputOf = (
  content: ToolResultPart["content"],
  encoding: ResponsesEncoding
): string | ReadonlyArray<JsonObject> => {
  const [only, ...others] = content
  if (only === undefined) return ""
  if (only._tag === "Text" && others.length === 0) return plainText(only, encoding)
  const pieces = content.flatMap((part) => {
    if (part._tag === "Opaque") return encoding.ownBlocks(part)
    const piece = encodePiece(part, "user", encoding)
    return piece === undefined ? [] : [piece.content]
  })
  return pieces.length === 0 ? "" : pieces
}

const plainText = (part: TextPart, encoding: ResponsesEncoding): string | ReadonlyArray<JsonObject> => {
  const own = pieceFields(part, encoding)
  return Object.keys(own).length === 0 ? part.text : [{ type: "input_text", text: part.text, ...own }]
}
