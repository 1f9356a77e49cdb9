import type { CacheMarker, MediaPart, MediaSource, OpaquePart, RefusalPart, TextPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { takeBreakpoint } from "../openai/cache-breakpoint.ts"
import type { JsonObject } from "../open-document.ts"
import { extended } from "./extension.ts"
import { openAiChatId, type CacheControl, type ContentPart } from "./wire.ts"

type Piece<T extends string> = Extract<ContentPart, { readonly type: T }>
type Content = string | ReadonlyArray<ContentPart> | null | undefined

/** The parts that a message's content stands for; an empty text is none. */
export const decodeContent = (content: Content): ReadonlyArray<TextPart | MediaPart | OpaquePart | RefusalPart> =>
  typeof content === "string"
    ? content === ""
      ? []
      : [{ _tag: "Text", text: content }]
    : (content ?? []).map(decodePart)

const decodePart = (part: ContentPart): TextPart | MediaPart | OpaquePart | RefusalPart => {
  switch (part.type) {
    case "text":
      return { _tag: "Text", text: part.text, ...markers(part.cache_control, part.rest) }
    case "refusal":
      return { _tag: "Refusal", text: part.refusal }
    case "image_url":
      return decodeImage(part)
    case "input_audio":
      return decodeAudio(part)
    case "file":
      return decodeFile(part)
    case undefined:
      return opaque(part)
  }
}

const opaque = ({ raw }: { readonly raw: JsonObject }): OpaquePart => ({
  _tag: "Opaque",
  protocol: openAiChatId,
  value: raw
})

/** The marks that a part may have: where the prompt may be cached, and what is not known here. */
export const markers = (cache: CacheControl | null | undefined, fields: JsonObject | undefined) => {
  const { rest, ...breakpoint } = takeBreakpoint(fields)
  return { ...breakpoint, ...cacheOf(cache), ...extended(rest) }
}

export const cacheOf = (cache: CacheControl | null | undefined): { readonly cache?: CacheMarker } =>
  cache ? { cache: present({ ttl: cache.ttl }) } : {}

/** How base64 begins. A server may take an image without its media type; the name of a file is none. */
const base64 = /^[a-zA-Z0-9+/_=-]*$/

const decodeImage = (part: Piece<"image_url">): MediaPart | OpaquePart => {
  const { url, detail, rest } = part.image_url
  if (!address.test(url) && !base64.test(url.slice(0, 64))) return opaque(part)
  return {
    _tag: "Media",
    kind: "image",
    ...mediaAt(url),
    ...present({ detail }),
    ...markers(part.cache_control, rest === undefined ? part.rest : { ...part.rest, image_url: rest })
  }
}

const audioType = (format: string): string => (format === "mp3" ? "audio/mpeg" : `audio/${format}`)

const decodeAudio = (part: Piece<"input_audio">): MediaPart => {
  const { data, format, rest } = part.input_audio
  return {
    _tag: "Media",
    kind: "audio",
    ...mediaAt(data),
    ...(format ? { mediaType: audioType(format) } : {}),
    ...(/^(data|https?):/.test(data) ? {} : { source: { _tag: "Base64", data } }),
    ...markers(part.cache_control, rest === undefined ? part.rest : { ...part.rest, input_audio: rest })
  }
}

const decodeFile = (part: Piece<"file">): MediaPart | OpaquePart => {
  const { file_data: data, file_id: id, filename, rest } = part.file
  if (typeof data !== "string" && typeof id !== "string") return opaque(part)
  return {
    _tag: "Media",
    kind: "file",
    ...(typeof data === "string" ? mediaAt(data) : { source: { _tag: "FileId", id: id ?? "" } satisfies MediaSource }),
    ...present({ filename }),
    ...markers(part.cache_control, rest === undefined ? part.rest : { ...part.rest, file: rest })
  }
}

const address = /^[a-z][a-z0-9+.-]*:/i

/** A `data:` URL, another URL, or base64 that stands for itself. */
const mediaAt = (text: string): Pick<MediaPart, "mediaType" | "source"> => {
  const comma = text.indexOf(",")
  const head = /^data:/i.test(text) ? text.slice("data:".length, Math.max(0, comma)) : ""
  if (/;base64$/i.test(head)) {
    const mediaType = head.slice(0, head.indexOf(";"))
    return {
      ...(mediaType === "" ? {} : { mediaType }),
      source: { _tag: "Base64", data: text.slice(comma + 1) }
    }
  }
  return address.test(text) ? { source: { _tag: "Url", url: text } } : { source: { _tag: "Base64", data: text } }
}
