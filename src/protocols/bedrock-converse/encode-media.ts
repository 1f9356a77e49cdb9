import type { MediaPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { ownExtension } from "../anthropic-messages/extension.ts"
import { imageTypeOf } from "../image-types.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import type { ConverseEncoding } from "./encoding.ts"

const imageFormats = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/jpg": "jpeg",
  "image/gif": "gif",
  "image/webp": "webp"
}

const audioFormats = {
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/aac": "aac",
  "audio/flac": "flac",
  "audio/ogg": "ogg",
  "audio/opus": "opus",
  "audio/mp4": "mp4",
  "audio/webm": "webm"
}

const videoFormats = {
  "video/mp4": "mp4",
  "video/quicktime": "mov",
  "video/webm": "webm",
  "video/x-matroska": "mkv",
  "video/mpeg": "mpeg",
  "video/x-flv": "flv",
  "video/x-ms-wmv": "wmv",
  "video/3gpp": "three_gp"
}

const documentFormats = {
  "application/pdf": "pdf",
  "text/csv": "csv",
  "application/msword": "doc",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/vnd.ms-excel": "xls",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "text/html": "html",
  "text/plain": "txt",
  "text/markdown": "md"
}

type Formats = { readonly [mediaType: string]: string }
const formatIn = (formats: Formats, mediaType: string): string | undefined => formats[mediaType]

/** The block of an image, a sound, a film or a document; none where the API does not take it, which fails the request. */
export const encodeMedia = (part: MediaPart, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  if (part.detail !== undefined && part.detail !== "auto") encoding.dropped("the detail of an image")
  const type = mediaTypeOf(part)
  const { document } = encoding.own(encoding.withoutClaude(part.extensions, ["citations", "context"]))
  if (part.kind === "image" || type.startsWith("image/")) {
    return block("image", imageFormat(part, type), part, type, encoding)
  }
  if (part.kind === "audio" || type.startsWith("audio/")) {
    return block("audio", formatIn(audioFormats, type), part, type, encoding)
  }
  if (type.startsWith("video/")) return block("video", formatIn(videoFormats, type), part, type, encoding)
  // What is text of some kind is read as text.
  const format = formatIn(documentFormats, type) ?? (/^text\/|json|xml|yaml/.test(type) ? "txt" : undefined)
  const name = encoding.documentName(part.filename)
  // Whether the document is to be cited, and what it is about.
  const { citations, context } = encoding.traits.family === "claude" ? ownExtension(part.extensions) : {}
  const own = { ...present({ context, citations }), ...fieldsOf(document) }
  return block("document", format, part, type, encoding, { name, ...own })
}

const mediaTypeOf = ({ kind, mediaType }: MediaPart): string =>
  mediaType?.split(";")[0]?.trim().toLowerCase() ?? (kind === "file" ? "application/pdf" : "")

const imageFormat = ({ source }: MediaPart, type: string): string | undefined =>
  formatIn(imageFormats, type || (source._tag === "Base64" ? imageTypeOf(source.data) : "image/png"))

const block = (
  kind: string,
  format: string | undefined,
  { source }: MediaPart,
  type: string,
  encoding: ConverseEncoding,
  more: JsonObject = {}
): ReadonlyArray<JsonObject> => {
  if (format === undefined) encoding.unsupported(`files of the type ${type || kind}`)
  else if (source._tag === "Base64") return [{ [kind]: { format, ...more, source: { bytes: source.data } } }]
  else if (source._tag === "Url" && source.url.startsWith("s3://")) {
    return [{ [kind]: { format, ...more, source: { s3Location: { uri: source.url } } } }]
  } else encoding.unsupported(source._tag === "Url" ? `${kind} input by URL` : "uploaded files")
  return []
}
