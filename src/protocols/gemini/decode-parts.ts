import type { MediaPart, Part, TextPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { openedCall, openedPart } from "../CallOrigin.ts"
import { isObject, parseJson, type JsonObject } from "../open-document.ts"
import { isSealed } from "../SealedReasoning.ts"
import type { CallLedger } from "./call-ledger.ts"
import { extended, wrappedWithName } from "./extension.ts"
import { geminiId, type ContentPart, type FunctionResponse } from "./wire.ts"

/** The part that a part of a turn stands for. `calls` knows which function answers belong to. */
export const decodePart = (part: ContentPart, calls: CallLedger): Part => {
  const { text, thought, thoughtSignature: signature, functionCall, functionResponse, rest } = part
  const kept = extended({ ...rest, thoughtSignature: signature })
  if (functionCall !== undefined) {
    const call = {
      _tag: "ToolCall",
      id: calls.call(functionCall.id, functionCall.name),
      name: functionCall.name,
      arguments: JSON.stringify(functionCall.args ?? {})
    } as const
    const fields = { ...rest, functionCall: functionCall.rest }
    return signature !== undefined && isSealed(signature)
      ? openedCall({ ...call, ...extended(fields) }, signature)
      : { ...call, ...extended({ ...fields, thoughtSignature: signature }) }
  }
  if (functionResponse !== undefined) return decodeResponse(functionResponse, rest, calls)
  // What a model drew while it thought is no part of its answer.
  if (thought === true && text === undefined) return opaque(part.raw)
  if (part.inlineData !== undefined || part.fileData !== undefined) {
    return decodeMedia(part, extended({ ...rest, thoughtSignature: signature, media: mediaRest(part) }))
  }
  // A text with another field of its own is a text; a part of which only other fields are known here is not.
  if (text === undefined && (rest !== undefined || signature === undefined)) return opaque(part.raw)
  if (thought !== true) return { _tag: "Text", text: text ?? "", ...kept }
  const reasoning =
    signature !== undefined && isSealed(signature)
      ? openedPart(signature, text ?? "")
      : ({ _tag: "Reasoning", text: text ?? "", ...present({ signature }), origin: geminiId } as const)
  return { ...reasoning, ...extended(rest) }
}

const opaque = (value: JsonObject) => ({ _tag: "Opaque", protocol: geminiId, value }) as const

type MediaFields = Pick<ContentPart, "inlineData" | "fileData">

const mediaRest = ({ inlineData, fileData }: MediaFields): JsonObject | undefined => (inlineData ?? fileData)?.rest

const decodeMedia = ({ inlineData, fileData }: MediaFields, kept: Pick<MediaPart, "extensions">): MediaPart => {
  const mediaType = inlineData?.mimeType ?? fileData?.mimeType
  return {
    _tag: "Media",
    kind: kindOf(mediaType),
    ...present({ mediaType }),
    source:
      inlineData === undefined
        ? fileSource(fileData?.fileUri ?? "")
        : { _tag: "Base64", data: plainBase64(inlineData.data) },
    ...kept
  }
}

/** Bytes may be written in the alphabet for addresses here, as Google's client for Python does; nobody else reads that. */
const plainBase64 = (data: string): string =>
  data.length % 4 === 0 && !/[-_]/.test(data) ? data : Buffer.from(data, "base64").toString("base64")

const kindOf = (mediaType: string | undefined): MediaPart["kind"] =>
  mediaType?.startsWith("image/") === true ? "image" : mediaType?.startsWith("audio/") === true ? "audio" : "file"

/** A file that was uploaded to the provider is known by its address there, and means nothing to anybody else. */
const isUploaded = (uri: string): boolean =>
  /^(gs:|files\/)/.test(uri) || /^https:\/\/([^/]*)\//.exec(uri)?.[1]?.includes("generativelanguage") === true

const fileSource = (uri: string): MediaPart["source"] =>
  /^https?:/.test(uri) && !isUploaded(uri) ? { _tag: "Url", url: uri } : { _tag: "FileId", id: uri }

const decodeResponse = (
  { id, name, response = {}, parts = [], rest }: FunctionResponse,
  outer: JsonObject | undefined,
  calls: CallLedger
): ToolResultPart => {
  const wrapped = wrappedAnswer(response, name)
  const { text, isError } = wrapped ?? responseText(response)
  return {
    _tag: "ToolResult",
    callId: calls.answer(id, name),
    name,
    content: [
      ...(text === undefined ? [] : [text]),
      ...parts.map((part) =>
        part.inlineData === undefined && part.fileData === undefined
          ? opaque(part.raw)
          : decodeMedia(part, extended({ ...part.rest, media: mediaRest(part) }))
      )
    ],
    ...(isError ? { isError } : {}),
    ...extended({ ...outer, functionResponse: rest, [wrappedWithName]: wrapped === undefined ? undefined : true })
  }
}

interface Answered {
  readonly text: TextPart | undefined
  readonly isError: boolean
}

/** The AI SDK wraps each answer as `{name, content}`, and each failure as `{name, error}`, with the function's name again. */
const wrappedAnswer = (response: JsonObject, name: string): Answered | undefined => {
  const { name: again, ...answer } = response
  const [[key, value] = [], ...others] = Object.entries(answer)
  if (again !== name || others.length > 0 || typeof value !== "string") return undefined
  return key === "content" || key === "error"
    ? { text: { _tag: "Text", text: value }, isError: key === "error" }
    : undefined
}

/**
 * What a function answered is an object here, by convention with the answer in `output` or the failure in `error`: such a
 * text is that text. Any other object is its JSON, and so is a text that would be taken for one on the way back.
 */
const responseText = (response: JsonObject): Answered => {
  const [[key, value] = [], ...others] = Object.entries(response)
  if (key === undefined) return { text: undefined, isError: false }
  const plain = others.length === 0 && typeof value === "string" && value !== "" && !isObjectText(value)
  return plain && (key === "output" || key === "error")
    ? { text: { _tag: "Text", text: value }, isError: key === "error" }
    : { text: { _tag: "Text", text: JSON.stringify(response) }, isError: false }
}

const isObjectText = (text: string): boolean => responseOf(text) !== undefined

/** The object that a text is the JSON of; undefined where it is none. */
export const responseOf = (text: string): JsonObject | undefined => {
  if (!text.trimStart().startsWith("{")) return undefined
  const value = parseJson(text)
  return isObject(value) ? value : undefined
}
