import type { MediaPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { argumentsObject } from "../ToolArguments.ts"
import { responseOf } from "./decode-parts.ts"
import type { GeminiEncoding } from "./encoding.ts"
import { wrappedWithName } from "./extension.ts"
import { geminiId } from "./wire.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

/** The parts that a part stands for: one, or none where it cannot be said. */
export const encodePart = (part: Part, encoding: GeminiEncoding): ReadonlyArray<JsonObject> => {
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

const encodeText = (part: TextPart, encoding: GeminiEncoding): ReadonlyArray<JsonObject> => {
  const more = encoding.unmarked(part)
  // The API refuses a part of no text, unless there is something else in it.
  return part.text === "" && Object.keys(more).length === 0 ? [] : [{ text: part.text, ...more }]
}

const encodeMedia = (part: MediaPart, encoding: GeminiEncoding): ReadonlyArray<JsonObject> => {
  const { media, ...more } = encoding.unmarked(part)
  const { source, mediaType, filename, detail } = part
  if (detail !== undefined && detail !== "auto") encoding.dropped("the detail of an image")
  if (filename !== undefined) encoding.dropped("the name of a file")
  switch (source._tag) {
    case "Base64": {
      const mimeType = mediaType ?? sniffed(source.data) ?? defaultTypes[part.kind]
      return [{ inlineData: { mimeType, data: source.data, ...fieldsOf(media) }, ...more }]
    }
    case "Url":
      return [fileData(source.url, mediaType, fieldsOf(media), more)]
    case "FileId":
      return encoding.holds(source.id, "address") ? [fileData(source.id, mediaType, fieldsOf(media), more)] : []
  }
}

const fileData = (uri: string, mediaType: string | undefined, media: JsonObject, more: JsonObject): JsonObject => ({
  fileData: { ...present({ mimeType: mediaType ?? typeByName(uri) }), fileUri: uri, ...media },
  ...more
})

/** What a file is by the end of its name, which Vertex AI wants to be told; the Gemini API finds out by itself. */
const typesByName: { readonly [ending: string]: string } = table({
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  heic: "image/heic",
  pdf: "application/pdf",
  txt: "text/plain",
  mp3: "audio/mp3",
  wav: "audio/wav",
  mp4: "video/mp4"
})

const typeByName = (url: string): string | undefined =>
  typesByName[/\.(\w+)(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? ""]

const defaultTypes = { image: "image/png", audio: "audio/wav", file: "application/pdf" }

/** The first bytes of well-known formats, in base64. */
const beginnings = {
  iVBOR: "image/png",
  "/9j/": "image/jpeg",
  R0lG: "image/gif",
  JVBER: "application/pdf",
  SUQz: "audio/mp3"
}

const sniffed = (data: string): string | undefined =>
  Object.entries(beginnings).find(([beginning]) => data.startsWith(beginning))?.[1]

/** What is said of reasoning that the API would not take back, and why. */
export const notTakenBack = ["reasoning of an earlier turn", "the Gemini API takes back only its own"] as const

/** The API takes back only what it signed itself. */
const encodeReasoning = (part: ReasoningPart, encoding: GeminiEncoding): ReadonlyArray<JsonObject> => {
  const more = encoding.unmarked(part)
  if (part.origin === geminiId && part.redacted === undefined) {
    return [{ text: part.text, thought: true, ...present({ thoughtSignature: part.signature }), ...more }]
  }
  encoding.dropped(...notTakenBack)
  return []
}

const encodeToolCall = (part: ToolCallPart, encoding: GeminiEncoding): JsonObject => {
  const { functionCall, ...more } = encoding.unmarked(part)
  const args = argumentsObject(part, encoding)
  encoding.called.set(part.id, part.name)
  return { functionCall: { id: part.id, name: part.name, args, ...fieldsOf(functionCall) }, ...more }
}

const encodeToolResult = (part: ToolResultPart, encoding: GeminiEncoding): JsonObject => {
  const { functionResponse, [wrappedWithName]: wrapped, ...more } = encoding.unmarked(part)
  const texts: Array<string> = []
  const parts: Array<JsonObject> = []
  for (const piece of part.content) {
    if (piece._tag !== "Text") parts.push(...encodePart(piece, encoding))
    else {
      encoding.unmarked(piece)
      texts.push(piece.text)
    }
  }
  // An answer belongs to a function by its name; other formats say only which call it answers.
  const name = part.name ?? encoding.called.get(part.callId) ?? part.callId
  const failed = part.isError === true
  const apart = parts.length > 0 && !encoding.traits.takesMediaAnswers
  if (apart) encoding.show(name, parts)
  return {
    functionResponse: {
      id: part.callId,
      name,
      response:
        wrapped === true ? { name, [failed ? "error" : "content"]: texts.join("\n") } : encodeResponse(texts, failed),
      ...(parts.length === 0 || apart ? {} : { parts }),
      ...fieldsOf(functionResponse)
    },
    ...more
  }
}

const encodeResponse = (texts: ReadonlyArray<string>, isError: boolean): JsonObject => {
  const text = texts.join("\n")
  if (isError) return { error: text || "the tool failed" }
  return texts.length === 0 ? {} : (responseOf(text) ?? { output: text })
}
