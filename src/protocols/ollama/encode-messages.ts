import type { MediaPart, Message, Part, ReasoningPart, ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Encoding } from "../Encoding.ts"
import { unlessEmpty, type JsonObject } from "../open-document.ts"
import { argumentsObject } from "../ToolArguments.ts"
import { withToldFailure } from "../ToolFailure.ts"
import { dropBlock } from "../foreign-blocks.ts"

/** The messages as this API wants them: one text and its images each, and a message of its own for every tool's answer. */
export const encodeMessages = (messages: ReadonlyArray<Message>, encoding: Encoding): ReadonlyArray<JsonObject> => {
  const called = new Map<string, string>()
  return messages.flatMap((message) => encodeMessage(message, called, encoding))
}

/** `called` are the names of the tools that were called, by the id of the call. */
const encodeMessage = (
  message: Message,
  called: Map<string, string>,
  encoding: Encoding
): ReadonlyArray<JsonObject> => {
  const own = encoding.nameless(message)
  const results: Array<JsonObject> = []
  const said = new Said()
  for (const part of message.parts) {
    if (part._tag === "ToolCall") called.set(part.id, part.name)
    if (part._tag === "ToolResult") results.push(encodeToolResult(part, called, encoding))
    else said.add(part, encoding)
  }
  const role = message.role === "developer" ? "system" : message.role === "tool" ? "user" : message.role
  return said.empty ? results : [...results, { role, ...said.fields(role), ...own }]
}

/** What a message says besides the answers of tools. */
class Said {
  private readonly texts: Array<string> = []
  private readonly images: Array<string> = []
  private readonly thoughts: Array<string> = []
  private readonly calls: Array<JsonObject> = []

  get empty(): boolean {
    return [this.texts, this.images, this.thoughts, this.calls].every((list) => list.length === 0)
  }

  add(part: Exclude<Part, ToolResultPart>, encoding: Encoding): void {
    switch (part._tag) {
      case "Text":
        encoding.unmarked(part)
        this.texts.push(part.text)
        return
      case "Refusal":
        this.texts.push(part.text)
        return
      case "Media":
        this.images.push(...imageOf(part, encoding))
        return
      case "Reasoning":
        return this.think(part, encoding)
      case "ToolCall":
        this.calls.push(encodeToolCall(part, encoding))
        return
      case "Opaque":
        dropBlock(part, encoding)
    }
  }

  /** Thinking is plain text here: what another format proved or encrypted goes without its proof, or not at all. */
  private think(part: ReasoningPart, encoding: Encoding): void {
    encoding.unmarked(part)
    if (part.text !== "") this.thoughts.push(part.text)
    if (part.redacted !== undefined || (part.text === "" && part.signature !== undefined)) {
      encoding.dropped("encrypted reasoning of an earlier turn")
    } else if (part.signature !== undefined) encoding.dropped("the signature of reasoning")
  }

  fields(role: string): JsonObject {
    return {
      // The pieces of an answer belong together; what somebody else put side by side stays apart.
      content: this.texts.join(role === "assistant" ? "" : "\n"),
      ...present({
        images: unlessEmpty(this.images),
        thinking: unlessEmpty(this.thoughts)?.join("\n"),
        tool_calls: unlessEmpty(this.calls)
      })
    }
  }
}

/** Images are base64 here and nothing else; there is no other medium. */
const imageOf = (part: MediaPart, encoding: Encoding): ReadonlyArray<string> => {
  encoding.unmarked(part)
  const { kind, mediaType, source, detail } = part
  if (kind !== "image" && mediaType?.startsWith("image/") !== true) {
    encoding.unsupported(kind === "audio" ? "audio input" : "files")
  } else if (source._tag !== "Base64") encoding.unsupported("images that are not sent along")
  else {
    if (detail !== undefined && detail !== "auto") encoding.dropped("the detail of an image")
    return [source.data]
  }
  return []
}

const encodeToolCall = (part: ToolCallPart, encoding: Encoding): JsonObject => {
  const own = encoding.unmarked(part)
  return { id: part.id, function: { name: part.name, arguments: argumentsObject(part, encoding) }, ...own }
}

/** An answer belongs to a tool by its name. Newer servers also look at the id, which tells calls of one tool apart. */
const encodeToolResult = (
  part: ToolResultPart,
  called: ReadonlyMap<string, string>,
  encoding: Encoding
): JsonObject => {
  const own = encoding.unmarked(part)
  const said = new Said()
  for (const piece of withToldFailure(part, encoding).content) said.add(piece, encoding)
  return {
    role: "tool",
    ...said.fields("tool"),
    tool_name: part.name ?? called.get(part.callId) ?? part.callId,
    tool_call_id: part.callId,
    ...own
  }
}
