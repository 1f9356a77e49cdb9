import {
  isInstruction,
  type MediaPart,
  type Message,
  type OpaquePart,
  type Part,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart
} from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { textOfArguments } from "../FreeText.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { withToldFailure } from "../ToolFailure.ts"
import { encodePart, markers } from "./encode-parts.ts"
import type { ChatEncoding } from "./encoding.ts"
import { encodeReasoning, isTakenBack, notTakenBack, thinkingParts } from "./reasoning-details.ts"
import { inOrder } from "./turn-order.ts"
import { openAiChatId } from "./wire.ts"

/**
 * The messages as this API wants them: the result of each tool is a message of its own, and a result can only be text. The
 * pictures of a result follow in a message of the user, after all results of that turn, which must not be parted.
 */
export const encodeMessages = (messages: ReadonlyArray<Message>, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
  const encoded: Array<JsonObject> = []
  let shown: Array<JsonObject> = []
  const show = () => {
    if (shown.length > 0) encoded.push({ role: "user", content: shown })
    shown = []
  }
  for (const message of messages) {
    const results = message.parts.filter((part) => part._tag === "ToolResult")
    for (const result of results) {
      encoded.push({ ...encodeToolResult(result, shown, encoding), ...messageMarks(message, encoding) })
    }
    const others = message.parts.filter((part) => part._tag !== "ToolResult")
    if (others.length === 0 && (results.length > 0 || message.role === "tool")) continue
    show()
    const said = encodeMessage(message, others, encoding)
    // An instruction of another format may have set something without a word.
    const isWordless = others.length === 0 && isInstruction(message) && !encoding.native
    if (!isWordless && (message.role !== "assistant" || !isSilenced(others, said))) encoded.push(said)
  }
  show()
  return inOrder(encoded, encoding)
}

/** Whether nothing is left of a turn: servers refuse one that has neither a content nor calls. */
const isSilenced = (parts: ReadonlyArray<Other>, said: JsonObject): boolean =>
  parts.some(({ _tag }) => _tag !== "Text") && said["content"] === "" && Object.keys(said).length === 2

const messageMarks = ({ extensions }: Message, encoding: ChatEncoding): JsonObject => {
  const { role: _, ...more } = encoding.own(extensions)
  return more
}

type Other = Exclude<Part, ToolResultPart>

const encodeMessage = (message: Message, parts: ReadonlyArray<Other>, encoding: ChatEncoding): JsonObject => {
  const { quirks } = encoding
  const more = { ...nameOf(message, encoding), ...messageMarks(message, encoding) }
  switch (message.role) {
    case "assistant":
      return { role: "assistant", ...encodeAssistant(parts, encoding), ...more }
    case "developer":
      return {
        role: quirks.noDeveloperRole === true ? "system" : "developer",
        ...encodeInput(parts, encoding),
        ...more
      }
    case "system":
      return { role: "system", ...encodeInput(parts, encoding), ...more }
    case "user":
    case "tool":
      return { role: "user", ...encodeInput(parts, encoding), ...more }
  }
}

const nameOf = ({ name }: Message, encoding: ChatEncoding): JsonObject => {
  if (name === undefined) return {}
  if (encoding.quirks.noNames !== true) return { name }
  encoding.refused("the name of a message")
  return {}
}

const encodeInput = (parts: ReadonlyArray<Other>, encoding: ChatEncoding): JsonObject => {
  const pieces: Array<TextPart | MediaPart | OpaquePart> = []
  for (const part of parts) {
    if (part._tag === "Text" || part._tag === "Media" || part._tag === "Opaque") pieces.push(part)
    else if (part._tag === "Refusal") pieces.push({ _tag: "Text", text: part.text })
    else encoding.dropped(`a ${part._tag} in a message that the model did not write`)
  }
  return { content: contentOf(pieces, encoding) }
}

const partsOf = (
  parts: ReadonlyArray<TextPart | MediaPart | OpaquePart>,
  encoding: ChatEncoding
): ReadonlyArray<JsonObject> => parts.flatMap((part) => encodePart(part, encoding))

/** A single text without marks is a string, which every server understands. */
const contentOf = (
  parts: ReadonlyArray<TextPart | MediaPart | OpaquePart>,
  encoding: ChatEncoding
): string | ReadonlyArray<JsonObject> => {
  const pieces = partsOf(parts, encoding)
  const [first, ...others] = pieces
  if (first === undefined) return ""
  const { type, text, ...marks } = first
  return others.length === 0 && type === "text" && typeof text === "string" && Object.keys(marks).length === 0
    ? text
    : pieces
}

const encodeAssistant = (parts: ReadonlyArray<Other>, encoding: ChatEncoding): JsonObject => {
  const reasoning = parts.filter((part) => part._tag === "Reasoning")
  const taken = reasoning.filter((part) => isTakenBack(part, encoding.quirks))
  if (taken.length < reasoning.length) encoding.dropped(...notTakenBack)
  const calls: Array<JsonObject> = []
  const said: Array<TextPart | OpaquePart> = []
  let refusal = ""
  for (const part of parts) {
    if (part._tag === "ToolCall") calls.push(encodeToolCall(part, encoding))
    else if (part._tag === "Refusal") refusal += part.text
    else if (part._tag === "Text") said.push(encoding.native ? part : unmarked(part, encoding))
    else if (part._tag === "Opaque" && isCall(part)) calls.push(part.value)
    else if (part._tag === "Opaque") said.push(part)
    else if (part._tag === "Media") encoding.dropped(`${part.kind} in a message of the assistant`)
  }
  if (encoding.quirks.wantsReasoning === true && taken.length === 0) {
    encoding.add("emulated", "reasoning of an earlier turn: there is none to give back, and the server wants some")
  }
  const thoughts = encoding.quirks.thinkingParts === true ? thinkingParts(taken) : []
  const content = thoughts.length === 0 ? contentOf(said, encoding) : [...thoughts, ...partsOf(said, encoding)]
  const contentless = content === "" && (calls.length > 0 || refusal !== "")
  return {
    content: contentless && encoding.quirks.wantsContent !== true ? null : content,
    ...encodeReasoning(taken, encoding.quirks),
    ...(refusal === "" ? {} : { refusal }),
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  }
}

/** What the model said: no server caches up to there by a marker. */
const unmarked = ({ cache, ...part }: TextPart, encoding: ChatEncoding): TextPart => {
  if (cache !== undefined) encoding.unmarked({ cache })
  return part
}

/** A call of a kind that has no schema here has an id, which no part of a content has. */
const isCall = (part: OpaquePart): part is OpaquePart & { readonly value: JsonObject } =>
  part.protocol === openAiChatId && isObject(part.value) && typeof part.value["id"] === "string"

const encodeToolCall = (part: ToolCallPart, encoding: ChatEncoding): JsonObject => {
  const { name } = part
  const id = encoding.callId(part.id)
  const more = markers(part, encoding)
  return part.freeText === true
    ? { id, type: "custom", custom: { name, input: textOfArguments(part.arguments) }, ...more }
    : { id, type: "function", function: { name, arguments: part.arguments }, ...more }
}

const encodeToolResult = (result: ToolResultPart, shown: Array<JsonObject>, encoding: ChatEncoding): JsonObject => {
  const part = withToldFailure(result, encoding)
  const { name } = part
  const callId = encoding.callId(part.callId)
  const said = part.content.filter((piece) => piece._tag !== "Media")
  const media = part.content.filter((piece) => piece._tag === "Media")
  if (media.length > 0) {
    encoding.add("emulated", "media in the result of a tool: they follow in a message of the user")
    shown.push({ type: "text", text: `The result of the tool call ${callId} contains:` })
    for (const piece of media) shown.push(...encodePart(piece, encoding))
  }
  const content = contentOf(said, encoding)
  return {
    role: "tool",
    tool_call_id: callId,
    // Other servers of the format than the first one take only a string.
    content: typeof content === "string" || encoding.native ? content : joined(content),
    ...present({ name }),
    ...markers(part, encoding)
  }
}

const joined = (pieces: ReadonlyArray<JsonObject>): string =>
  pieces.map((piece) => (typeof piece["text"] === "string" ? piece["text"] : JSON.stringify(piece))).join("\n")
