import type { Schema } from "effect"
import type { OpaquePart, ReasoningPart } from "../../domain/LlmRequest.ts"
import { sealOfCall, withoutSeal } from "./call-extras.ts"
import { marked, ownExtension } from "./extension.ts"
import { fieldsOf, isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import type { Quirks } from "../Protocol.ts"
import { openedPart } from "../CallOrigin.ts"
import { isSealed, proofFor, unsealed, type Proof } from "../SealedReasoning.ts"
import { openAiChatId, type ReasoningDetail, type RequestMessage } from "./wire.ts"
import { table } from "../../domain/table.ts"
import { present } from "../../domain/present.ts"

/**
 * Reasoning that a provider signed or encrypted goes back to it in `reasoning_details`, a list beside the text of the
 * reasoning. The API itself has no such thing; routers in front of other providers invented it and their clients keep it.
 * Each entry names in `format` what kind of proof it has. Those of providers that speak other formats are named as routers
 * name them, for clients that go by it; the proofs themselves are sealed, because a server of this format did not make them.
 */
const formats: { readonly [origin: string]: string } = table({
  "anthropic-messages": "anthropic-claude-v1",
  "openai-responses": "openai-responses-v1",
  gemini: "google-gemini-v1"
})

/**
 * The name here of what GitHub Copilot has instead of details: the text in `reasoning_text`, and one proof of all of it in
 * `reasoning_opaque`.
 */
export const opaqueFormat = "copilot"

/** The name here of reasoning without details whose text is in `reasoning`, and goes back there. */
export const plainFormat = "reasoning"

const noFormat = "unknown"
const routed = `${openAiChatId}/`
const foreign = "millrace/"

/** The `format` of an entry whose reasoning comes from `origin`. */
const detailFormat = (origin: string | undefined): string =>
  origin === undefined || origin === openAiChatId
    ? noFormat
    : origin.startsWith(routed)
      ? origin.slice(routed.length)
      : (formats[origin] ?? foreign + origin)

/** The origin of reasoning that a server of this format made: it goes back to such a server, with the format it had. */
export const servedOrigin = (format: unknown): string =>
  typeof format !== "string" || format === "" || format === noFormat ? openAiChatId : routed + format

/** Whether a server of this format made a piece of reasoning. */
const isServed = ({ origin }: Proof): boolean => origin === openAiChatId || origin?.startsWith(routed) === true

/** Whether a server of this format takes reasoning back: one of them made it, and it has words where only these are taken. */
export const isTakenBack = (part: ReasoningPart, quirks: Quirks): boolean =>
  isServed(part) && (part.text !== "" || !takesWordsAlone(quirks))

const takesWordsAlone = ({ noReasoningContent, thinkingParts, wantsReasoning }: Quirks): boolean =>
  noReasoningContent === true || thinkingParts === true || wantsReasoning === true

/** What is said of reasoning that no server of this format would take back, and why. */
export const notTakenBack = [
  "reasoning of an earlier turn",
  "nobody takes back what another API's provider signed"
] as const

/** A proof as callers get it: as it is where a server of this format made it, else sealed. */
const shown = (proof: Proof, own: string | undefined): string | undefined =>
  isServed(proof) ? own : proofFor(openAiChatId, proof)

/** An entry of `reasoning_details`. */
export const detailOf = ({ text, ...proof }: Proof & { readonly text: string }, index: number): JsonObject => {
  const { signature, redacted, origin } = proof
  const format = detailFormat(origin)
  return redacted === undefined
    ? { type: "reasoning.text", text, ...present({ signature: shown(proof, signature) }), format, index }
    : { type: "reasoning.encrypted", ...present({ data: shown(proof, redacted) }), format, index }
}

const textOf = (detail: ReasoningDetail): string => detail.text ?? detail.summary ?? ""

/** The fields of an entry that prove something. */
interface Provable {
  readonly signature?: unknown
  readonly data?: unknown
}

/** The seal that stands in an entry in the place of a proof. */
const sealOf = ({ signature, data }: Provable): string | undefined =>
  [signature, data].find((proof): proof is string => typeof proof === "string" && isSealed(proof))

/**
 * The seal of a message whose reasoning another format's provider made: nothing in it is proven but what is sealed. What
 * is not proven at all beside it comes from the same provider.
 */
const onlySeal = (details: ReadonlyArray<Provable>): string | undefined => {
  const own = details.some((detail) => (detail.signature || detail.data) && sealOf(detail) === undefined)
  return own ? undefined : details.map(sealOf).find((seal) => seal !== undefined)
}

/**
 * The message of a caller without what was made up for it: what is sealed, which no server of this format could read, in
 * the details of reasoning or on calls, and the fields of a sealed text, which not every server knows. The same message
 * where there is no such thing.
 */
export const withoutSealed = (message: JsonObject): JsonObject => {
  const { tool_calls: calls } = message
  const sealed = Array.isArray(calls) && calls.some((call) => isObject(call) && sealOfCall(call) !== undefined)
  if (!sealed) return withoutSealedThoughts(message)
  return {
    ...withoutSealedThoughts(message),
    tool_calls: calls.map((call) => (isObject(call) ? withoutSeal(call) : call))
  }
}

const withoutSealedThoughts = (message: JsonObject): JsonObject => {
  const { reasoning_content: _, reasoning: __, reasoning_details: details, ...others } = message
  if (!Array.isArray(details)) return message
  const left = details.filter((detail) => !isObject(detail) || sealOf(detail) === undefined)
  if (left.length === details.length) return message
  return onlySeal(details.filter(isObject)) === undefined ? { ...message, reasoning_details: left } : others
}

/**
 * The reasoning of an earlier turn. Its text may stand in `reasoning_content` or `reasoning`, in the details, or in both;
 * the pieces of a stream may have been kept as they came, so that entries of one index are one.
 */
export const decodeReasoning = (message: RequestMessage): ReadonlyArray<ReasoningPart | OpaquePart> => {
  const { reasoning_content: content, reasoning } = message
  const text = content || reasoning || ""
  // In which fields the text stood, where it was not in the usual one alone.
  const fields = [...(content ? ["reasoning_content"] : []), ...(reasoning ? ["reasoning"] : [])]
  const kept = fields.length === 1 && content ? undefined : fields
  const details = joinPieces(message.reasoning_details ?? [])
  const silent = details.findIndex((detail) => detail.type === "reasoning.text" && textOf(detail) === "")
  const spoken = details.some((detail) => textOf(detail) !== "")
  const seal = onlySeal(details)
  const parts = details.map((detail, at) =>
    partOf(at === silent && !spoken && text !== "" ? { ...detail, text } : detail, at, kept, seal)
  )
  if (text === "" || spoken || silent >= 0) return parts
  if (seal !== undefined) return [{ _tag: "Reasoning", text, ...unproven(seal) }, ...parts]
  return [{ _tag: "Reasoning", text, origin: openAiChatId, ...marked({ fields: kept }) }, ...parts]
}

/** Reasoning without a proof, of the provider whose proof was sealed. */
const unproven = (seal: string): Proof => present({ origin: unsealed(seal).origin })

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

const partOf = (
  detail: ReasoningDetail,
  at: number,
  fields: ReadonlyArray<string> | undefined,
  seal: string | undefined
): ReasoningPart | OpaquePart => {
  const text = textOf(detail)
  const sealed = sealOf(detail)
  // The marks of this format would be of no use to whoever made it.
  if (sealed !== undefined) return openedPart(sealed, text)
  if (seal !== undefined) return { _tag: "Reasoning", text, ...unproven(seal) }
  const { index, ...rest } = detail.rest ?? {}
  const kept: Record<string, Schema.Json> = { ...rest, ...(index === undefined || index === at ? {} : { index }) }
  if (detail.type !== "reasoning.text" && detail.type !== "reasoning.encrypted") kept["type"] = detail.type
  return {
    _tag: "Reasoning",
    text,
    ...present({ signature: detail.signature || undefined, redacted: detail.data }),
    origin: servedOrigin(detail.format),
    ...marked({ detail: unlessEmpty(kept), fields })
  }
}

/** The reasoning of an earlier turn as the beginning of its content. */
export const thinkingParts = (parts: ReadonlyArray<ReasoningPart>): ReadonlyArray<JsonObject> =>
  parts.map(({ text }) => ({ type: "thinking", thinking: [{ type: "text", text }] }))

/** The fields of an assistant's message that say its reasoning. */
export const encodeReasoning = (parts: ReadonlyArray<ReasoningPart>, quirks: Quirks): JsonObject => {
  if (quirks.thinkingParts === true) return {}
  const text = parts.map((part) => part.text).join("")
  // The least that is taken for a text.
  if (quirks.wantsReasoning === true) return { reasoning_content: text || " " }
  const opaque = parts.filter((part) => isOf(opaqueFormat, part))
  if (opaque.length > 0 && quirks.noReasoningContent !== true) {
    const proof = opaque.find(isProven)?.signature
    return present({ reasoning_text: text || undefined, reasoning_opaque: proof })
  }
  const isPlain = parts.length > 0 && parts.every((part) => isOf(plainFormat, part))
  if (isPlain || quirks.noReasoningContent === true) return present({ reasoning: text || undefined })
  const stated = parts.map((part) => ownExtension(part.extensions)["fields"]).find((kept) => Array.isArray(kept))
  const fields: ReadonlyArray<unknown> = Array.isArray(stated) ? stated : ["reasoning_content"]
  const detailed = fields.length === 0 || parts.some((part) => isProven(part) || hasDetail(part))
  return {
    ...(text === "" ? {} : Object.fromEntries(fields.map((field) => [String(field), text]))),
    ...(detailed ? { reasoning_details: parts.map(encodeDetail) } : {})
  }
}

const isOf = (format: string, { origin }: ReasoningPart): boolean => origin === routed + format

const isProven = ({ signature, redacted }: ReasoningPart): boolean => signature !== undefined || redacted !== undefined

const hasDetail = (part: ReasoningPart): boolean => ownExtension(part.extensions)["detail"] !== undefined

const encodeDetail = (part: ReasoningPart, index: number): JsonObject => {
  const kept = ownExtension(part.extensions)["detail"]
  const more = fieldsOf(kept)
  const detail = { ...detailOf(part, index), ...more }
  if (more["type"] !== "reasoning.summary") return detail
  const { text, ...rest } = detail
  return { ...rest, summary: text ?? "" }
}
