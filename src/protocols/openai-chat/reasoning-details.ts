import type { Schema } from "effect"
import type { ReasoningPart } from "../../domain/LlmRequest.ts"
import { isOwn, marked, ownExtension } from "./extension.ts"
import { isObject, present, type JsonObject } from "../open-document.ts"
import { openAiChatId, type ReasoningDetail, type RequestMessage } from "./wire.ts"

/**
 * Reasoning that a provider signed or encrypted goes back to it in `reasoning_details`, a list beside the text of the
 * reasoning. The API itself has no such thing; routers in front of other providers invented it and their clients keep it.
 * Each entry names in `format` who will take it back.
 */
const formats: { readonly [origin: string]: string } = {
  "anthropic-messages": "anthropic-claude-v1",
  "openai-responses": "openai-responses-v1",
  gemini: "google-gemini-v1"
}

const noFormat = "unknown"
const routed = `${openAiChatId}/`
const foreign = "millrace/"

/** The `format` of an entry whose reasoning comes from `origin`. */
export const detailFormat = (origin: string | undefined): string =>
  origin === undefined || origin === openAiChatId
    ? noFormat
    : origin.startsWith(routed)
      ? origin.slice(routed.length)
      : (formats[origin] ?? foreign + origin)

/** The origin of reasoning that a server of this format sent: it goes back to such a server, with the format it had. */
export const servedOrigin = (format: unknown): string =>
  typeof format !== "string" || format === "" || format === noFormat ? openAiChatId : routed + format

/** The origin of reasoning that a caller of this format sent back: whoever made it takes it. */
const callersOrigin = (format: unknown): string =>
  typeof format === "string" && format.startsWith(foreign)
    ? format.slice(foreign.length)
    : (Object.keys(formats).find((origin) => formats[origin] === format) ?? servedOrigin(format))

/** Whether a server of this format takes reasoning back. */
export const isTakenBack = (part: ReasoningPart): boolean =>
  isOwn(part.extensions) || part.origin === openAiChatId || part.origin?.startsWith(routed) === true

/** What an entry of `reasoning_details` is made of. */
interface Entry {
  readonly text: string
  readonly signature?: string
  readonly redacted?: string
  readonly origin?: string
}

/** An entry of `reasoning_details`. */
export const detailOf = ({ text, signature, redacted, origin }: Entry, index: number): JsonObject =>
  redacted === undefined
    ? { type: "reasoning.text", text, ...present({ signature }), format: detailFormat(origin), index }
    : { type: "reasoning.encrypted", data: redacted, format: detailFormat(origin), index }

const textOf = (detail: ReasoningDetail): string => detail.text ?? detail.summary ?? ""

/**
 * The reasoning of an earlier turn. Its text may stand in `reasoning_content` or `reasoning`, in the details, or in both;
 * the pieces of a stream may have been kept as they came, so that entries of one index are one.
 */
export const decodeReasoning = (message: RequestMessage): ReadonlyArray<ReasoningPart> => {
  const { reasoning_content: content, reasoning } = message
  const text = content || reasoning || ""
  // In which fields the text stood, where it was not in the usual one alone.
  const fields = [...(content ? ["reasoning_content"] : []), ...(reasoning ? ["reasoning"] : [])]
  const kept = fields.length === 1 && content ? undefined : fields
  const details = joinPieces(message.reasoning_details ?? [])
  const silent = details.findIndex((detail) => detail.type === "reasoning.text" && textOf(detail) === "")
  const spoken = details.some((detail) => textOf(detail) !== "")
  const parts = details.map((detail, at) =>
    partOf(at === silent && !spoken && text !== "" ? { ...detail, text } : detail, at, kept)
  )
  if (text === "" || spoken || silent >= 0) return parts
  return [{ _tag: "Reasoning", text, origin: openAiChatId, ...marked({ fields: kept }) }, ...parts]
}

const joinPieces = (details: ReadonlyArray<ReasoningDetail>): ReadonlyArray<ReasoningDetail> => {
  const joined: Array<ReasoningDetail> = []
  for (const detail of details) {
    const last = joined.at(-1)
    const goesOn =
      last !== undefined &&
      last.type === detail.type &&
      detail.data == null &&
      !last.signature &&
      sameIndex(last, detail)
    if (!goesOn) joined.push(detail)
    else {
      joined[joined.length - 1] = {
        ...last,
        ...present({ signature: detail.signature || undefined }),
        ...(last.type === "reasoning.summary"
          ? { summary: textOf(last) + textOf(detail) }
          : { text: textOf(last) + textOf(detail) })
      }
    }
  }
  return joined
}

const sameIndex = (one: ReasoningDetail, other: ReasoningDetail): boolean =>
  one.raw["index"] !== undefined && one.raw["index"] === other.raw["index"]

const partOf = (detail: ReasoningDetail, at: number, fields: ReadonlyArray<string> | undefined): ReasoningPart => {
  const { index, ...rest } = detail.rest ?? {}
  const kept: Record<string, Schema.Json> = { ...rest, ...(index === undefined || index === at ? {} : { index }) }
  if (detail.type !== "reasoning.text" && detail.type !== "reasoning.encrypted") kept["type"] = detail.type
  return {
    _tag: "Reasoning",
    text: textOf(detail),
    ...present({ signature: detail.signature || undefined, redacted: detail.data }),
    origin: callersOrigin(detail.format),
    ...marked({ detail: Object.keys(kept).length === 0 ? undefined : kept, fields })
  }
}

/** The fields of an assistant's message that say its reasoning. */
export const encodeReasoning = (parts: ReadonlyArray<ReasoningPart>): JsonObject => {
  const text = parts.map((part) => part.text).join("")
  const stated = parts.map((part) => ownExtension(part.extensions)["fields"]).find((kept) => Array.isArray(kept))
  const fields: ReadonlyArray<unknown> = Array.isArray(stated) ? stated : ["reasoning_content"]
  const detailed = fields.length === 0 || parts.some((part) => isProven(part) || hasDetail(part))
  return {
    ...(text === "" ? {} : Object.fromEntries(fields.map((field) => [String(field), text]))),
    ...(detailed ? { reasoning_details: parts.map(encodeDetail) } : {})
  }
}

const isProven = ({ signature, redacted }: ReasoningPart): boolean => signature !== undefined || redacted !== undefined

const hasDetail = (part: ReasoningPart): boolean => ownExtension(part.extensions)["detail"] !== undefined

const encodeDetail = (part: ReasoningPart, index: number): JsonObject => {
  const kept = ownExtension(part.extensions)["detail"]
  const more = isObject(kept) ? kept : {}
  const detail = { ...detailOf(part, index), ...more }
  if (more["type"] !== "reasoning.summary") return detail
  const { text, ...rest } = detail
  return { ...rest, summary: text ?? "" }
}
