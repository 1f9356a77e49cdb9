import type { MediaPart, OpaquePart, TextPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Marked } from "../Encoding.ts"
import { breakpointField, breakpointFor, statedBreakpoint, withoutBreakpoint } from "../openai/cache-breakpoint.ts"
import { imageTypeOf } from "../image-types.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import type { ChatEncoding } from "./encoding.ts"
import { openAiChatId } from "./wire.ts"

/** The fields that any part or tool may have besides its own. */
export const markers = ({ cache, extensions }: Marked, encoding: ChatEncoding): JsonObject => {
  if (cache === undefined || !encoding.native) return encoding.unmarked(present({ cache, extensions }))
  return { ...encoding.own(extensions), cache_control: { type: "ephemeral", ...cache } }
}

/** As `markers`, for a piece of a message, which has the marker of this API itself where its model knows that. */
const pieceMarkers = (part: Marked, encoding: ChatEncoding): JsonObject => {
  const stated = statedBreakpoint(part, openAiChatId)
  const breakpoint = stated ?? (encoding.native ? undefined : breakpointFor(part, encoding.model))
  if (breakpoint === undefined) return markers(part, encoding)
  const { cache: _, ...unmarked } = part
  return { ...withoutBreakpoint(markers(unmarked, encoding)), [breakpointField]: breakpoint }
}

/** The parts of a content that a piece of input stands for: one, or none where it cannot be said. */
export const encodePart = (
  part: TextPart | MediaPart | OpaquePart,
  encoding: ChatEncoding
): ReadonlyArray<JsonObject> => {
  switch (part._tag) {
    case "Text":
      return [{ type: "text", text: part.text, ...pieceMarkers(part, encoding) }]
    case "Media":
      return encodeMedia(part, encoding)
    case "Opaque":
      return encoding.ownBlocks(part)
  }
}

const encodeMedia = (part: MediaPart, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
  const more = pieceMarkers(part, encoding)
  const { kind, source } = part
  if (source._tag === "FileId") {
    const held = encoding.native || encoding.holds(source.id, "id")
    return held ? [file({ file_id: source.id, ...present({ filename: part.filename }) }, more)] : []
  }
  if (kind === "image") return [nested("image_url", { url: urlOf(part), ...detailOf(part) }, more)]
  if (kind === "audio") return encodeAudio(part, more, encoding)
  if (source._tag === "Url") {
    // A file by its address is unknown to the API; servers that know it were addressed in this format.
    if (encoding.native) return [file({ file_data: source.url, ...present({ filename: part.filename }) }, more)]
    encoding.unsupported("files by URL")
    return []
  }
  const { mediaType = "application/pdf" } = part
  if (mediaType.startsWith("text/") && !encoding.native) {
    return [{ type: "text", text: Buffer.from(source.data, "base64").toString("utf8"), ...more }]
  }
  if (mediaType.startsWith("video/") && !encoding.native) {
    encoding.unsupported("video input")
    return []
  }
  const data = part.mediaType === undefined && encoding.native ? source.data : dataUrl(mediaType, source.data)
  const filename = part.filename ?? (encoding.native ? undefined : "document.pdf")
  return [file({ file_data: data, ...present({ filename }) }, more)]
}

/** A part whose content stands under its type; what is not known of it may stand on both levels. */
const nested = (type: string, content: JsonObject, more: JsonObject): JsonObject => {
  const { [type]: inner, ...outer } = more
  return { type, [type]: { ...content, ...fieldsOf(inner) }, ...outer }
}

const file = (content: JsonObject, more: JsonObject): JsonObject => nested("file", content, more)

const detailOf = ({ detail }: MediaPart) => present({ detail })

const dataUrl = (mediaType: string, data: string): string => `data:${mediaType};base64,${data}`

const urlOf = ({ mediaType, source }: MediaPart): string => {
  switch (source._tag) {
    case "Url":
      return source.url
    case "Base64":
      return dataUrl(mediaType ?? imageTypeOf(source.data), source.data)
    case "FileId":
      return source.id
  }
}

const audioFormat = (mediaType: string): string =>
  /^audio\/(mpeg|mp3)$/.test(mediaType) ? "mp3" : mediaType.replace(/^audio\/(x-)?/, "")

const encodeAudio = (part: MediaPart, more: JsonObject, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
  const { source, mediaType } = part
  if (source._tag === "Base64") {
    const format = mediaType === undefined ? undefined : audioFormat(mediaType)
    return [nested("input_audio", { data: source.data, ...present({ format }) }, more)]
  }
  if (source._tag === "Url" && encoding.native) return [nested("input_audio", { data: source.url }, more)]
  encoding.unsupported("audio by URL")
  return []
}
