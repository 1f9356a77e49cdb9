import type { LlmRequest, ReasoningPart } from "../domain/LlmRequest.ts"
import { isObject, parseJson, present } from "./open-document.ts"

/** What proves that a model thought something, and the wire format whose provider will take the proof back. */
export interface Proof {
  readonly signature?: string
  readonly redacted?: string
  readonly origin?: string
}

const prefix = "millrace-reasoning-1."
/** The same where a proof is bytes: how base64 of the prefix begins whatever follows, as its length is a multiple of three. */
const bytesPrefix = Buffer.from(prefix, "utf8").toString("base64")

const sealOf = ({ signature, redacted, origin }: Proof): string =>
  JSON.stringify(present({ origin, signature, redacted }))

/**
 * A proof as a caller of the format `own` gets it, undefined where there is none. A proof of that format is passed as it
 * is. That of another one is sealed: the prefix `millrace-reasoning-1.` and the base64url of the JSON object
 * `{origin, signature, redacted}`. Callers send it back in the next turn as they send any other, and it comes out byte for
 * byte. A proof whose origin is not known is sealed too: no provider may be shown what it may not have signed.
 *
 * Thoughts of another format that nobody signed have a seal that says no more than whose they are: a provider of `own`
 * might refuse a whole request for thoughts without a proof, and whoever made them may want them back.
 */
export const proofFor = (own: string, proof: Proof): string | undefined => {
  const { signature, redacted, origin } = proof
  return origin === own ? (signature ?? redacted) : hasSeal(proof) ? textSeal(proof) : undefined
}

const hasSeal = ({ signature, redacted, origin }: Proof): boolean =>
  signature !== undefined || redacted !== undefined || origin !== undefined

const textSeal = (proof: Proof): string => prefix + Buffer.from(sealOf(proof), "utf8").toString("base64url")

/**
 * As `proofFor`, for a format whose proofs are bytes: the seal is the base64 of the prefix and the JSON object, because the
 * SDKs of such a format decode what they are given and encode it again, with either alphabet.
 */
export const proofInBytesFor = (own: string, proof: Proof): string | undefined => {
  const { signature, redacted, origin } = proof
  if (origin === own) return signature ?? redacted
  return hasSeal(proof) ? Buffer.from(prefix + sealOf(proof), "utf8").toString("base64") : undefined
}

/**
 * A request for a server of the format `own` that is a Millrace itself: proofs of other formats are sealed for it as they
 * would be for a caller, since it may have a provider behind it that takes them back.
 */
export const sealedFor = (own: string, request: LlmRequest): LlmRequest => ({
  ...request,
  messages: request.messages.map((message) => ({
    ...message,
    parts: message.parts.map((part) => (part._tag === "Reasoning" ? sealedPart(own, part) : part))
  }))
})

const sealedPart = (own: string, part: ReasoningPart): ReasoningPart => {
  // What a server of the format passed on from elsewhere is its own to take back: `openai-chat/anthropic-claude-v1`.
  const itsOwn = part.origin === own || part.origin?.startsWith(`${own}/`) === true
  const seal = itsOwn ? undefined : proofFor(own, part)
  if (seal === undefined) return part
  const { text, redacted } = part
  return {
    _tag: "Reasoning",
    text,
    origin: own,
    ...(redacted === undefined ? { signature: seal } : { redacted: seal })
  }
}

/** Whether a text is a proof that was sealed: no provider can read it. */
export const isSealed = (text: string): boolean => text.startsWith(prefix) || text.startsWith(bytesPrefix)

const openedSeal = (text: string): string =>
  text.startsWith(prefix)
    ? Buffer.from(text.slice(prefix.length), "base64url").toString("utf8")
    : Buffer.from(text, "base64").toString("utf8").slice(prefix.length)

/** The proof that was sealed; nothing where the seal is broken. */
export const unsealed = (text: string): Proof => {
  const proof = parseJson(openedSeal(text))
  if (!isObject(proof)) return {}
  const string = (key: string) => (typeof proof[key] === "string" ? proof[key] : undefined)
  return present({ origin: string("origin"), signature: string("signature"), redacted: string("redacted") })
}
