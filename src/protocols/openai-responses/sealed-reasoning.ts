import { isObject, parseJson, present } from "../open-document.ts"
import { openAiResponsesId } from "./wire.ts"

/** What proves that a model thought something, and who will take the proof back. */
export interface Proof {
  readonly signature?: string
  readonly redacted?: string
  readonly origin?: string
}

const prefix = "millrace-reasoning-1."

/**
 * The `encrypted_content` of a reasoning item. A blob of this format is passed as it is. The proof of another format is
 * sealed: the prefix `millrace-reasoning-1.` and the base64url of the JSON object `{origin, signature, redacted}`. Callers
 * send the item back in the next turn as they send any other, and the proof comes out byte for byte.
 */
export const encryptedContentOf = ({ signature, redacted, origin }: Proof): string | undefined => {
  if (signature === undefined && redacted === undefined) return undefined
  if (origin === openAiResponsesId) return signature ?? redacted
  const sealed = JSON.stringify(present({ origin, signature, redacted }))
  return prefix + Buffer.from(sealed, "utf8").toString("base64url")
}

/** Whether an `encrypted_content` was sealed here: no provider of this format can read it. */
export const isSealed = (encryptedContent: string): boolean => encryptedContent.startsWith(prefix)

/** What `encryptedContentOf` was given. */
export const proofOf = (encryptedContent: string): Proof => {
  if (!isSealed(encryptedContent)) return { signature: encryptedContent, origin: openAiResponsesId }
  const proof = parseJson(Buffer.from(encryptedContent.slice(prefix.length), "base64url").toString("utf8"))
  if (!isObject(proof)) return {}
  const string = (key: string) => (typeof proof[key] === "string" ? proof[key] : undefined)
  return present({ origin: string("origin"), signature: string("signature"), redacted: string("redacted") })
}
