import type {
  MediaPart,
  Message,
  OpaquePart,
  Part,
  ReasoningPart,
  TextPart,
  Tool,
  ToolCallPart
} from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { openedPart, withOpenedCalls } from "../CallOrigin.ts"
import { takeBreakpoint } from "../openai/cache-breakpoint.ts"
import { argumentsOfText } from "../FreeText.ts"
import type { JsonObject } from "../open-document.ts"
import { isSealed } from "../SealedReasoning.ts"
import { answersText, extended, ofItem } from "./extension.ts"
import { answersInPlace } from "./late-answers.ts"
import { nameOfCall, placed } from "./namespaces.ts"
import { answerOfRun, callOfRun } from "./run-items.ts"
import { betweenParts } from "./stated-text.ts"
import {
  openAiResponsesId,
  type Content,
  type ContentPart,
  type InputItem,
  type MessageItem,
  type ReasoningItem,
  type ToolOutput
} from "./wire.ts"

type Item<T extends string> = Extract<InputItem, { readonly type: T }>
type Piece<T extends string> = Extract<ContentPart, { readonly type: T }>

/**
 * The messages that the input stands for. What the model did (its messages, calls, reasoning, hosted tools) comes as items
 * of their own; those that follow each other are one turn of the assistant.
 */
export const decodeInput = (
  input: string | ReadonlyArray<InputItem>,
  tools: ReadonlyArray<Tool> = []
): ReadonlyArray<Message> => {
  if (typeof input === "string") return [{ role: "user", parts: [{ _tag: "Text", text: input }] }]
  const messages: Array<Message> = []
  let turn: Array<Part> | undefined
  let told: Array<Part> = []
  for (const item of input) {
    const settings = toldPart(item)
    if (settings !== undefined) {
      told.push(settings)
      continue
    }
    const { parts, ...message } = decodeItem(item, tools)
    // What is told of the request stands before who speaks next, and in no turn of its own, which would be empty elsewhere.
    const said = message.role === "tool" ? parts : [...told, ...parts]
    if (message.role !== "tool") told = []
    if (message.role !== "assistant") {
      turn = undefined
      messages.push({ ...message, parts: said })
    } else if (turn === undefined) {
      turn = [...said]
      messages.push({ role: "assistant", parts: turn })
    } else turn.push(...said)
  }
  if (turn !== undefined) turn.push(...told)
  else if (told.length > 0) messages.push({ role: "assistant", parts: told })
  return answersInPlace(messages).map((message) => ({ ...message, parts: withOpenedCalls(message.parts) }))
}

const decodeItem = (item: InputItem, tools: ReadonlyArray<Tool>): Message => {
  switch (item.type) {
    case "message":
      return decodeMessage(item)
    case "reasoning":
      return { role: "assistant", parts: [decodeReasoning(item)] }
    case "function_call":
      return { role: "assistant", parts: [toolCall(item, item.arguments, tools)] }
    case "custom_tool_call":
      return { role: "assistant", parts: [{ ...toolCall(item, argumentsOfText(item.input), tools), freeText: true }] }
    case "function_call_output": {
      const { call_id: called } = item
      if (!called) return { role: "user", parts: [opaque(item.raw)] }
      return { role: "tool", parts: [decodeToolOutput({ ...item, call_id: called })] }
    }
    case "custom_tool_call_output":
      return { role: "tool", parts: [decodeToolOutput(item)] }
    case "item_reference":
      return { role: "assistant", parts: [opaque({ ...item.raw, type: item.type })] }
    case "configuration_update":
    case "tool_search_output":
    case "additional_tools":
      return { role: "assistant", parts: [opaque(item.raw)] }
    case undefined:
      return decodeOther(item.raw)
  }
}

/** An item whose settings or tools are those of the request: here it keeps its place for this format. */
const toldPart = (item: InputItem): OpaquePart | undefined => {
  const tools = item.type === "tool_search_output" || item.type === "additional_tools" ? item.tools : undefined
  // Tools that the provider runs are the request's only where it declares them.
  const isTold = item.type === "configuration_update" || tools?.every(({ type }) => type !== undefined)
  return isTold === true ? { ...opaque(item.raw), told: true } : undefined
}

const decodeOther = (item: JsonObject): Message => {
  const [call, answer] = [callOfRun(item), answerOfRun(item)]
  if (call !== undefined) return { role: "assistant", parts: [call] }
  if (answer !== undefined) return { role: "tool", parts: [answer] }
  return { role: isAnswer(item) ? "user" : "assistant", parts: [opaque(item)] }
}

/** Items that answer what the model asked for, but for what the provider says that it answered itself. */
const isAnswer = ({ type, execution }: JsonObject): boolean =>
  type === "mcp_approval_response" || (String(type).endsWith("_output") && execution !== "server")

/**
 * Id and status name an item within the provider's store. The item stands here in full, so that the model is told the
 * same without them.
 */
const withoutPlace = (rest: JsonObject | undefined): JsonObject | undefined => {
  if (rest === undefined) return undefined
  const { id: _, status: __, ...more } = rest
  return more
}

const decodeMessage = (item: MessageItem): Message => {
  const more = withoutPlace(item.rest)
  const parts = decodeContent(item.content)
  if (item.role !== "assistant") return { role: item.role, parts, ...extended(more) }
  // The turn may hold several message items: what one of them says of itself stands with its first text.
  const [first, ...others] = parts
  if (first?._tag !== "Text" || more === undefined || Object.keys(more).length === 0) {
    return { role: "assistant", parts }
  }
  const own = first.extensions?.[openAiResponsesId]
  return { role: "assistant", parts: [{ ...first, ...extended({ ...own, ...ofItem(more) }) }, ...others] }
}

const decodeContent = (content: Content): ReadonlyArray<Part> =>
  typeof content === "string" ? [{ _tag: "Text", text: content }] : content.map(decodePiece)

const decodePiece = (piece: ContentPart): Part => {
  switch (piece.type) {
    case "refusal":
      return { _tag: "Refusal", text: piece.refusal }
    default:
      return decodeInputPiece(piece)
  }
}

const decodeInputPiece = (
  piece: Exclude<ContentPart, { readonly type: "refusal" }>
): TextPart | MediaPart | OpaquePart => {
  switch (piece.type) {
    case "input_text":
      return { _tag: "Text", text: piece.text, ...marked(piece.rest) }
    case "output_text":
      return { _tag: "Text", text: piece.text, ...extended(withoutEmpty(piece.rest)) }
    case "input_image":
      return decodeImage(piece)
    case "input_file":
      return decodeFile(piece)
    case "input_audio": {
      const { data, format, rest } = piece.input_audio
      return rest !== undefined
        ? opaque(piece.raw)
        : {
            _tag: "Media",
            kind: "audio",
            mediaType: format === "mp3" ? "audio/mpeg" : `audio/${format}`,
            source: { _tag: "Base64", data },
            ...marked(piece.rest)
          }
    }
    case undefined:
      return opaque(piece.raw)
  }
}

/** What else is said of a piece of input: where the prompt may be cached, and what is not known here. */
const marked = (fields: JsonObject | undefined) => {
  const { rest, ...breakpoint } = takeBreakpoint(fields)
  return { ...breakpoint, ...extended(rest) }
}

/** A text of the model comes with lists of annotations and log probabilities, mostly empty. */
const withoutEmpty = (rest: JsonObject | undefined): JsonObject =>
  Object.fromEntries(Object.entries(rest ?? {}).filter(([, value]) => !Array.isArray(value) || value.length > 0))

const dataUrl = /^data:([^;,]+)(?:;[^,]*)?;base64,/

/** A `data:` URL as the bytes that it holds. */
const urlSource = (url: string): Pick<MediaPart, "mediaType" | "source"> => {
  const [start, mediaType] = dataUrl.exec(url) ?? []
  return start === undefined || mediaType === undefined
    ? { source: { _tag: "Url", url } }
    : { mediaType, source: { _tag: "Base64", data: url.slice(start.length) } }
}

const decodeImage = (piece: Piece<"input_image">): MediaPart | OpaquePart => {
  const { image_url: url, file_id: id } = piece
  const source = url ? urlSource(url) : id ? { source: { _tag: "FileId", id } as const } : undefined
  if (source === undefined) return opaque(piece.raw)
  return { _tag: "Media", kind: "image", ...source, ...present({ detail: piece.detail }), ...marked(piece.rest) }
}

const decodeFile = (piece: Piece<"input_file">): MediaPart | OpaquePart => {
  const { file_data: data, file_url: url, file_id: id } = piece
  const source = data
    ? dataUrl.test(data)
      ? urlSource(data)
      : { source: { _tag: "Base64", data } as const }
    : url
      ? { source: { _tag: "Url", url } as const }
      : id
        ? { source: { _tag: "FileId", id } as const }
        : undefined
  if (source === undefined) return opaque(piece.raw)
  return { _tag: "Media", kind: "file", ...source, ...present({ filename: piece.filename }), ...marked(piece.rest) }
}

const toolCall = (
  item: Item<"function_call"> | Item<"custom_tool_call">,
  text: string,
  tools: ReadonlyArray<Tool>
): ToolCallPart => {
  const { call_id: id, name, namespace, rest } = item
  const place = namespace ? { namespace: { name: namespace }, name } : undefined
  return {
    _tag: "ToolCall",
    id,
    name: place === undefined ? name : nameOfCall(place, tools),
    arguments: text.trim() === "" ? "{}" : text,
    ...extended({ ...withoutPlace(rest), ...(place === undefined ? {} : placed(place)) })
  }
}

const decodeToolOutput = (item: Omit<ToolOutput, "type"> & { readonly type: string }): Part => ({
  _tag: "ToolResult",
  callId: item.call_id,
  content:
    typeof item.output === "string"
      ? [{ _tag: "Text", text: item.output }]
      : item.output.map((piece) =>
          piece.type === "refusal" ? { _tag: "Text", text: piece.refusal } : decodeInputPiece(piece)
        ),
  ...extended({ ...withoutPlace(item.rest), [answersText]: item.type === "custom_tool_call_output" || undefined })
})

/**
 * The summary is what everyone may read; a model that shows its thoughts themselves puts them in the content. Where there
 * is more than one summary part, or both, the lists are kept for this format.
 */
const decodeReasoning = (item: Item<"reasoning">): ReasoningPart | OpaquePart => {
  const { summary, content, encrypted_content: encrypted } = item
  const texts = (list: ReasoningItem["summary"]) => (list ?? []).map(({ text }) => text)
  const summaries = texts(summary)
  const thoughts = texts(content)
  const text = (summaries.length > 0 ? summaries : thoughts).join(betweenParts)
  if (encrypted && isSealed(encrypted)) return openedPart(encrypted, text)
  const { status: _, ...rest } = item.rest ?? {}
  const lists = thoughts.length > 0 || summaries.length > 1
  return {
    _tag: "Reasoning",
    text,
    ...(encrypted ? { signature: encrypted } : {}),
    origin: openAiResponsesId,
    ...extended({
      ...rest,
      ...(lists ? { summary: (summary ?? []).map(({ raw }) => raw), content: content?.map(({ raw }) => raw) } : {})
    })
  }
}

const opaque = (value: JsonObject): OpaquePart => ({ _tag: "Opaque", protocol: openAiResponsesId, value })
