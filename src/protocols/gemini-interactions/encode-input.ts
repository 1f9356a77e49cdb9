import {
  isInstruction,
  type MediaPart,
  type Message,
  type Part,
  type ReasoningPart,
  type ToolCallPart,
  type ToolResultPart
} from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Encoding } from "../Encoding.ts"
import { ownBlock } from "../foreign-blocks.ts"
import type { JsonObject } from "../open-document.ts"
import { argumentsObject } from "../ToolArguments.ts"
import { instructionsAreWords } from "../turns.ts"
import { geminiInteractionsId } from "./wire.ts"

/**
 * The messages as this API wants them: the instruction first and apart, then the steps of the conversation, one for what
 * was said and one for each thought, call and answer of a tool.
 */
export const encodeInput = (messages: ReadonlyArray<Message>, encoding: Encoding): JsonObject => {
  const start = messages.findIndex((message) => !isInstruction(message))
  const head = start < 0 ? messages : messages.slice(0, start)
  const instruction = head.map((message) => instructionOf(message, encoding)).join("\n\n")
  const steps = new Steps(encoding)
  for (const message of messages.slice(head.length)) steps.add(message)
  return { ...(instruction === "" ? {} : { system_instruction: instruction }), input: steps.list }
}

/** An instruction is a text here. */
const instructionOf = (message: Message, encoding: Encoding): string => {
  encoding.nameless(message)
  const texts = message.parts.flatMap((part) => {
    if (part._tag === "Text") {
      encoding.unmarked(part)
      return [part.text]
    }
    encoding.unsupported("instructions that are not text")
    return []
  })
  return texts.join("\n")
}

class Steps {
  readonly list: Array<JsonObject> = []
  private readonly encoding: Encoding
  private readonly called = new Map<string, string>()
  private content: Array<JsonObject> = []

  constructor(encoding: Encoding) {
    this.encoding = encoding
  }

  add(message: Message): void {
    const own = this.encoding.nameless(message)
    if (isInstruction(message)) {
      this.encoding.add("emulated", instructionsAreWords)
    }
    const type = message.role === "assistant" ? "model_output" : "user_input"
    for (const part of message.parts) {
      const content = this.contentOf(part)
      if (content !== undefined) {
        this.content.push(content)
        continue
      }
      const step = this.stepOf(part)
      if (step === undefined) continue
      this.flush(type, own)
      this.list.push(step)
    }
    this.flush(type, own)
  }

  /** What was said so far is a step of its own. */
  private flush(type: string, own: JsonObject): void {
    if (this.content.length > 0) this.list.push({ type, content: this.content, ...own })
    this.content = []
  }

  private contentOf(part: Part): JsonObject | undefined {
    switch (part._tag) {
      case "Text":
        return part.text === "" ? undefined : { type: "text", text: part.text, ...this.encoding.unmarked(part) }
      case "Refusal":
        return { type: "text", text: part.text }
      case "Media":
        return encodeMedia(part, this.encoding)
      default:
        return undefined
    }
  }

  private stepOf(part: Part): JsonObject | undefined {
    switch (part._tag) {
      case "Reasoning":
        return encodeThought(part, this.encoding)
      case "ToolCall":
        this.called.set(part.id, part.name)
        return encodeCall(part, this.encoding)
      case "ToolResult":
        return encodeResult(part, this.called.get(part.callId), this.encoding)
      case "Opaque":
        return ownBlock(part, geminiInteractionsId, this.encoding)
      default:
        return undefined
    }
  }
}

/** The API takes back only what it signed itself. */
const encodeThought = (part: ReasoningPart, encoding: Encoding): JsonObject | undefined => {
  const own = encoding.unmarked(part)
  if (part.origin !== geminiInteractionsId || part.signature === undefined) {
    encoding.dropped("reasoning of an earlier turn", "the Interactions API takes back only what it signed")
    return undefined
  }
  const summary = part.text === "" ? {} : { summary: [{ type: "text", text: part.text }] }
  return { type: "thought", signature: part.signature, ...summary, ...own }
}

const encodeCall = (part: ToolCallPart, encoding: Encoding): JsonObject => {
  const own = encoding.unmarked(part)
  return { type: "function_call", id: part.id, name: part.name, arguments: argumentsObject(part, encoding), ...own }
}

const encodeResult = (part: ToolResultPart, called: string | undefined, encoding: Encoding): JsonObject => {
  const own = encoding.unmarked(part)
  const content = part.content.flatMap((piece): ReadonlyArray<JsonObject> => {
    switch (piece._tag) {
      case "Text":
        return [{ type: "text", text: piece.text, ...encoding.unmarked(piece) }]
      case "Media":
        return mediaOf(piece, encoding)
      case "Opaque":
        return encoding.ownBlocks(piece)
    }
  })
  return {
    type: "function_result",
    call_id: part.callId,
    ...present({ name: part.name ?? called }),
    result: shortest(content),
    ...present({ is_error: part.isError }),
    ...own
  }
}

/** A lone text without anything else is said in the short form. */
const shortest = (content: ReadonlyArray<JsonObject>): string | ReadonlyArray<JsonObject> => {
  const [first, ...others] = content
  if (first === undefined) return ""
  const text = first["text"]
  return others.length === 0 && typeof text === "string" && Object.keys(first).length === 2 ? text : content
}

const mediaOf = (part: MediaPart, encoding: Encoding): ReadonlyArray<JsonObject> => {
  const media = encodeMedia(part, encoding)
  return media === undefined ? [] : [media]
}

/** What a medium is: its type says it better than whoever sent it. */
const kindOf = ({ kind, mediaType = "" }: MediaPart): string => {
  const [major] = mediaType.split("/")
  if (major === "image" || major === "audio" || major === "video") return major
  return kind === "file" || mediaType !== "" ? "document" : kind
}

const defaultTypes: { readonly [kind: string]: string } = {
  image: "image/png",
  audio: "audio/wav",
  document: "application/pdf"
}

const resolutions = new Set(["low", "medium", "high", "ultra_high"])

const encodeMedia = (part: MediaPart, encoding: Encoding): JsonObject | undefined => {
  const own = encoding.unmarked(part)
  const { source, mediaType, filename, detail } = part
  const type = kindOf(part)
  if (filename !== undefined) encoding.dropped("the name of a file")
  const resolution = detail !== undefined && resolutions.has(detail) ? { resolution: detail } : {}
  if (detail !== undefined && detail !== "auto" && !resolutions.has(detail)) encoding.dropped("the detail of an image")
  switch (source._tag) {
    case "Base64":
      return { type, data: source.data, mime_type: mediaType ?? defaultTypes[type] ?? "", ...resolution, ...own }
    case "Url":
      return { type, uri: source.url, ...present({ mime_type: mediaType }), ...resolution, ...own }
    case "FileId":
      return encoding.holds(source.id, "address")
        ? { type, uri: source.id, ...present({ mime_type: mediaType }), ...resolution, ...own }
        : undefined
  }
}
