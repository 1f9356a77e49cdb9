import { present } from "../domain/present.ts"
import { fieldsOf, parseJson, type JsonObject } from "./open-document.ts"

/** What proves that a model thought something, and the wire format whose provider will take the proof back. */
export interface Proof {
  readonly signature?: string
  readonly redacted?: string
  readonly origin?: string
}

const prefix = "millrace-reasoning-1."
/** The same where a proof is bytes: how base64 of the prefix begins whatever follows, as its length is a multiple of three. */
const bytesPrefix = Buffer.from(prefix, "utf8").toString("base64")

const sealOf = ({ signature, redacted, origin }: Proof): JsonObject => present({ origin, signature, redacted })

/** A seal: the prefix and the base64url of an object's JSON. */
export const sealedText = (value: JsonObject): string =>
  prefix + Buffer.from(JSON.stringify(value), "utf8").toString("base64url")

/**
 * A seal for a format whose proofs are bytes: the base64 of the prefix and the JSON, because the SDKs of such a format
 * decode what they are given and encode it again, with either alphabet.
 */
export const sealedBytes = (value: JsonObject): string =>
  Buffer.from(prefix + JSON.stringify(value), "utf8").toString("base64")

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
  return origin === own ? (signature ?? redacted) : hasSeal(proof) ? sealedText(sealOf(proof)) : undefined
}

const hasSeal = ({ signature, redacted, origin }: Proof): boolean =>
  signature !== undefined || redacted !== undefined || origin !== undefined

/** As `proofFor`, for a format whose proofs are bytes. */
export const proofInBytesFor = (own: string, proof: Proof): string | undefined => {
  const { signature, redacted, origin } = proof
  if (origin === own) return signature ?? redacted
  return hasSeal(proof) ? sealedBytes(sealOf(proof)) : undefined
}

/** Whether a text is a proof that was sealed: no provider can read it. */
export const isSealed = (text: string): boolean => text.startsWith(prefix) || text.startsWith(bytesPrefix)

const openedText = (text: string): string =>
  text.startsWith(prefix)
    ? Buffer.from(text.slice(prefix.length), "base64url").toString("utf8")
    : Buffer.from(text, "base64").toString("utf8").slice(prefix.length)

/** What was sealed; an empty object where the seal is broken. */
export const openSeal = (text: string): JsonObject => {
  const value = parseJson(openedText(text))
  return fieldsOf(value)
}

/** The proof that an opened seal holds. */
export const proofOf = (sealed: JsonObject): Proof => {
  const string = (key: string) => (typeof sealed[key] === "string" ? sealed[key] : undefined)
  return present({ origin: string("origin"), signature: string("signature"), redacted: string("redacted") })
}

/** The proof that was sealed; nothing where the seal is broken. */
export const unsealed = (text: string): Proof => proofOf(openSeal(text))
