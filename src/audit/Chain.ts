import { hash } from "node:crypto"
import type { AuditRow } from "./AuditStore.ts"

/** The last link of a chain; a chain that has none yet ends in `noLink`. */
export interface Link {
  /** Counts from 1 on. */
  readonly number: number
  /** SHA-256 in hex. */
  readonly hash: string
}

export const noLink: Link = { number: 0, hash: "" }

/** What a link vouches for. The columns that are not here repeat what `body` says. */
export interface Linked {
  readonly owner: string
  readonly kind: AuditRow["_tag"]
  readonly at: number
  readonly id: string
  /** JSON on one line; of a request or an answer it has the fingerprint. */
  readonly body: string
  /** The request or the answer, where it is kept whole. */
  readonly payload: string | null
}

/**
 * The link that follows `previous`. What is hashed can be read in one way only: a body has no line break, and the id,
 * which may have some, comes last.
 */
export const nextLink = (previous: Link, { at, body, id, kind, owner, payload }: Linked): Link => {
  const number = previous.number + 1
  const kept = payload === null ? "" : "+"
  return {
    number,
    hash: hash("sha256", `${previous.hash}\n${owner}\n${number}\n${kind}${kept}\n${at}\n${body}\n${id}`, "hex")
  }
}
