import { isObject, parseJson, present } from "./open-document.ts"

/** What proves that a model thought something, and the wire format whose provider will take the proof back. */
export interface Proof {
  readonly signature?: string
  readonly redacted?: string
  readonly origin?: string
}

const prefix = "millrace-reasoning-1."

/**
 * A proof as a caller of the format `own` gets it, undefined where there is none. A proof of that format is passed as it
 * is. That of another one is sealed: the prefix `millrace-reasoning-1.` and the base64url of the JSON object
 * `{origin, signature, redacted}`. Callers send it back in the next turn as they send any other, and it comes out byte for
 * byte. A proof whose origin is not known is sealed too: no provider may be shown what it may not have signed.
 */
export const proofFor = (own: string, { signature, redacted, origin }: Proof): string | undefined => {
  if (signature === undefined && redacted === undefined) return undefined
  if (origin === own) return signature ?? redacted
  const sealed = JSON.stringify(present({ origin, signature, redacted }))
  return prefix + Buffer.from(sealed, "utf8").toString("base64url")
}

/** Whether a text is a proof that was sealed: no provider can read it. */
export const isSealed = (text: string): boolean => text.startsWith(prefix)

/** The proof that was sealed; nothing where the seal is broken. */
export const unsealed = (text: string): Proof => {
  const proof = parseJson(Buffer.from(text.slice(prefix.length), "base64url").toString("utf8"))
  if (!isObject(proof)) return {}
  const string = (key: string) => (typeof proof[key] === "string" ? proof[key] : undefined)
  return present({ origin: string("origin"), signature: string("signature"), redacted: string("redacted") })
}
