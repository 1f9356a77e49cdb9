import type { MediaPart, Message, Part, ReasoningPart, ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Encoding } from "../Encoding.ts"
import type { JsonObject } from "../open-document.ts"
import { withToldFailure } from "../ToolFailure.ts"

/**
 * The messages as this API wants them: a message of its own for every answer of a tool, which holds no pictures. Those follow
 * in a message of the user, after all answers of that turn.
 */
export const encodeMessages = (messages: ReadonlyArray<Message>, encoding: Encoding): ReadonlyArray<JsonObject> => {
  const encoded: Array<JsonObject> = []
  const shown: Array<JsonObject> = []
  const show = () => {
    if (shown.length > 0) encoded.push({ role: "user", content: shown.splice(0) })
  }
  for (const message of messages) {
    const own = encoding.nameless(message)
    const rest: Array<Said> = []
    for (const part of message.parts) {
      if (part._tag === "ToolResult") encoded.push(encodeToolResult(part, shown, encoding))
      else rest.push(part)
    }
    if (rest.length === 0) continue
    show()
    const said = encodeSaid(message.role, rest, encoding)
    if (said !== undefined) encoded.push({ ...said, ...own })
  }
  show()
  return encoded
}

type Said = Exclude<Part, ToolResultPart>

/** What a message says beside the answers of tools; undefined where nothing is left of it. */
const encodeSaid = (role: Message["role"], parts: ReadonlyArray<Said>, encoding: Encoding): JsonObject | undefined => {
  if (role === "assistant") {
    const answer = encodeAnswer(parts, encoding)
    // Of what nobody else knows nothing is left, and the API refuses a turn without anything.
    const empty = answer["content"] === "" && answer["tool_calls"] === undefined
    return empty && parts.some(({ _tag }) => _tag !== "Text") ? undefined : answer
  }
  const content = contentOf(parts.flatMap((part) => encodeContent(part, encoding)))
  return { role: role === "developer" ? "system" : role === "tool" ? "user" : role, content }
}

/**
 * An answer of an earlier turn. What was thought and said before tools were called goes as the plan that every model knows:
 * beside calls no content is taken. Thinking as content of its own is for models that think.
 */
const encodeAnswer = (parts: ReadonlyArray<Said>, encoding: Encoding): JsonObject => {
  const content: Array<JsonObject> = []
  const thoughts: Array<string> = []
  const calls: Array<JsonObject> = []
  for (const part of parts) {
    if (part._tag === "ToolCall") calls.push(encodeToolCall(part, encoding))
    else if (part._tag === "Reasoning") thoughts.push(...thoughtOf(part, encoding))
    else if (part._tag === "Media") encoding.dropped(`${part.kind} in a message of the assistant`)
    else content.push(...encodeContent(part, encoding))
  }
  if (calls.length === 0) {
    const thinking = thoughts.map((thought) => ({ type: "thinking", thinking: thought }))
    return { role: "assistant", content: contentOf([...thinking, ...content]) }
  }
  const words = content.flatMap(({ text }) => (typeof text === "string" && text !== "" ? [text] : []))
  if (words.length > 0)
    encoding.add("emulated", "what was said before tools were called is sent as the plan to call them")
  const plan = [...thoughts, ...words]
  return { role: "assistant", ...(plan.length === 0 ? {} : { tool_plan: plan.join("\n") }), tool_calls: calls }
}

/** Thinking is plain text here: what another format proved or encrypted goes without its proof, or not at all. */
const thoughtOf = (part: ReasoningPart, encoding: Encoding): ReadonlyArray<string> => {
  encoding.unmarked(part)
  if (part.redacted !== undefined || (part.text === "" && part.signature !== undefined)) {
    encoding.dropped("encrypted reasoning of an earlier turn")
  } else if (part.signature !== undefined) encoding.dropped("the signature of reasoning")
  return part.text === "" ? [] : [part.text]
}

/** A lone text without anything else is said in the short form. */
const contentOf = (content: ReadonlyArray<JsonObject>): string | ReadonlyArray<JsonObject> => {
  const [first, ...others] = content
  if (first === undefined) return ""
  const text = first["text"]
  return others.length === 0 && typeof text === "string" && Object.keys(first).length === 2 ? text : content
}

const encodeContent = (part: Said, encoding: Encoding): ReadonlyArray<JsonObject> => {
  switch (part._tag) {
    case "Text":
      return [{ type: "text", text: part.text, ...encoding.unmarked(part) }]
    case "Refusal":
      return [{ type: "text", text: part.text }]
    case "Media":
      return encodeMedia(part, encoding)
    case "Opaque":
      return encoding.ownBlocks(part)
    default:
      // Thoughts and calls are the model's, and stand in its own messages.
      encoding.dropped(part._tag === "ToolCall" ? "a tool call of the user" : "reasoning of the user")
      return []
  }
}

const encodeMedia = (part: MediaPart, encoding: Encoding): ReadonlyArray<JsonObject> => {
  const own = encoding.unmarked(part)
  const { kind, mediaType, source, detail } = part
  if (kind !== "image" && mediaType?.startsWith("image/") !== true) {
    encoding.unsupported(kind === "audio" ? "audio input" : "files")
    return []
  }
  if (source._tag === "FileId") {
    encoding.unsupported("a file that is stored with another provider")
    return []
  }
  const url = source._tag === "Url" ? source.url : `data:${mediaType ?? "image/png"};base64,${source.data}`
  const known = detail === undefined || details.includes(detail)
  if (!known) encoding.dropped(`the detail ${detail} of an image`)
  return [{ type: "image_url", image_url: { url, ...present({ detail: known ? detail : undefined }) }, ...own }]
}

/** How closely the model may be told to look at an image. */
const details: ReadonlyArray<string> = ["auto", "low", "high"]

const encodeToolCall = (part: ToolCallPart, encoding: Encoding): JsonObject => ({
  id: part.id,
  type: "function",
  function: { name: part.name, arguments: part.arguments.trim() === "" ? "{}" : part.arguments },
  ...encoding.unmarked(part)
})

/** `shown` are the pictures that are still to follow. */
const encodeToolResult = (part: ToolResultPart, shown: Array<JsonObject>, encoding: Encoding): JsonObject => {
  const own = encoding.unmarked(part)
  const { callId, content } = withToldFailure(part, encoding)
  const pictures = content.flatMap((piece) => (piece._tag === "Media" ? encodeMedia(piece, encoding) : []))
  if (pictures.length > 0) {
    encoding.add("emulated", "media in the result of a tool: they follow in a message of the user")
    shown.push({ type: "text", text: `The result of the tool call ${callId} contains:` }, ...pictures)
  }
  const said = content.flatMap((piece) => (piece._tag === "Media" ? [] : encodeContent(piece, encoding)))
  const words = said.length === 0 && pictures.length > 0 ? "It follows." : contentOf(said)
  return { role: "tool", tool_call_id: callId, content: words, ...own }
}
