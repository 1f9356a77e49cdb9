import type { Schema } from "effect"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { OpaquePart, Part, ReasoningPart, ToolCallPart } from "../domain/LlmRequest.ts"
import { ownFields } from "./extensions.ts"
import { isOwnAffair } from "./foreign-fields.ts"
import { isObject, type JsonObject } from "./open-document.ts"
import { openSeal, proofOf, sealedBytes, sealedText, type Proof } from "./SealedReasoning.ts"

type Call = Pick<Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>, "origin" | "providerExecuted">
type NamedCall = Call & { readonly id: string }

/**
 * What the format `own` says of a call beyond what every format says; nothing where another one made the call. A caller of
 * `own` gets what that one said as a seal (`callSeal`), since its provider may want it back with the call.
 */
export const callFields = (call: Call, own: string): JsonObject => ownFields(call, own)

/** What nobody wants back: which kind of block a call is, and what is the format's own affair. */
const isUsual = ([field, value]: readonly [string, Schema.Json]): boolean =>
  field === "type" || isOwnAffair(field, value)

/** What another format's provider said of a call: the signature that it wants back with it, the program that made it. */
const foreignCall = ({ id, origin, providerExecuted }: NamedCall, own: string): JsonObject | undefined => {
  // A call that a provider ran itself is not sent back as such; the notice of its result says that it is another's.
  if (origin === undefined || origin.protocol === own || providerExecuted === true) return undefined
  const fields = Object.entries(callFields({ origin }, origin.protocol)).filter((field) => !isUsual(field))
  return fields.length === 0 ? undefined : { origin: origin.protocol, call: id, fields: Object.fromEntries(fields) }
}

/**
 * What another format's provider said of a call, sealed for a caller of the format `own`, who sends it back with the next
 * turn; undefined where nothing was said. It has the form of a sealed proof of reasoning, and is the JSON object
 * `{origin, call, fields}`, where `call` is the call's id: callers may move it away from the call.
 */
export const callSeal = (call: NamedCall, own: string): string | undefined => {
  const seal = foreignCall(call, own)
  return seal === undefined ? undefined : sealedText(seal)
}

/** As `callSeal`, for a format whose proofs are bytes. */
export const callSealInBytes = (call: NamedCall, own: string): string | undefined => {
  const seal = foreignCall(call, own)
  return seal === undefined ? undefined : sealedBytes(seal)
}

/** Whether a provider of another format ran the call itself. */
export const isForeignRun = ({ origin, providerExecuted }: Call, own: string): boolean =>
  providerExecuted === true && origin !== undefined && origin.protocol !== own

/** The seal of a call as the proof of reasoning that a format without a place on its calls shows before the call. */
export const callProof = (call: NamedCall, own: string): Required<Pick<Proof, "signature" | "origin">> | undefined => {
  const signature = callSeal(call, own)
  return signature === undefined ? undefined : { signature, origin: own }
}

/** The same as the events of such a block of reasoning, which has nothing but the proof; none where nothing is sealed. */
export const sealEvents = (call: NamedCall, own: string): Array<LlmEvent> => {
  const proof = callProof(call, own)
  if (proof === undefined) return []
  const block = { id: `${call.id} seal`, origin: proof.origin }
  return [
    { _tag: "ReasoningStart", ...block },
    { _tag: "ReasoningEnd", ...block, signature: proof.signature }
  ]
}

/** The protocol of the opaque parts that an opened seal of a call is until it is put on its call. */
const opened = "millrace-call"

/** The part that a sealed proof stands for: reasoning, or, until `withOpenedCalls`, what is to be put on a call. */
export const openedPart = (seal: string, text: string): ReasoningPart | OpaquePart => {
  const value = openSeal(seal)
  return typeof value["call"] === "string"
    ? { _tag: "Opaque", protocol: opened, value }
    : { _tag: "Reasoning", text, ...proofOf(value) }
}

/** The parts of a turn with what was sealed of its calls on these calls. The same list where nothing was. */
export const withOpenedCalls = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> => {
  if (!parts.some(isOpened)) return parts
  const seals = parts.filter(isOpened).map(({ value }) => value)
  return parts.flatMap((part): ReadonlyArray<Part> => {
    if (isOpened(part)) return []
    if (part._tag !== "ToolCall") return [part]
    const seal = seals.find((value) => isObject(value) && value["call"] === part.id)
    return [isObject(seal) ? withFields(part, seal) : part]
  })
}

const isOpened = (part: Part): part is OpaquePart => part._tag === "Opaque" && part.protocol === opened

const withFields = (part: ToolCallPart, { origin, fields }: JsonObject): ToolCallPart =>
  typeof origin === "string" && isObject(fields)
    ? { ...part, extensions: { ...part.extensions, [origin]: fields } }
    : part

/** The call with what stands in the seal that was given with it, in the place of anything that the format itself kept. */
export const openedCall = (part: ToolCallPart, seal: string): ToolCallPart => withFields(part, openSeal(seal))
