import { Redacted } from "effect"
import { createHmac } from "node:crypto"

interface Pepper {
  /** stands before what was hashed with it; empty for the one that the store made */
  readonly id: string
  readonly value: string
}

const keyed = (pepper: string, text: string): string => createHmac("sha256", pepper).update(text).digest("base64url")

// Of a hash of a text that everybody knows: it tells peppers apart, and says nothing of them.
const idOf = (value: string): string => keyed(value, "pepper of millrace").slice(0, 8)

/**
 * What secrets are hashed with, so that whoever has the store alone can try out none. New hashes are made with the first;
 * the others, and the one that the store made for itself, still recognise what was made with them.
 */
export class Peppers {
  readonly #all: ReadonlyArray<Pepper>
  readonly isConfigured: boolean

  constructor(configured: ReadonlyArray<Redacted.Redacted>, ofStore: string) {
    const values = configured.map((pepper) => Redacted.value(pepper))
    this.#all = [...values.map((value) => ({ id: idOf(value), value })), { id: "", value: ofStore }]
    this.isConfigured = values.length > 0
  }

  /** The hash of a secret by which it is kept from now on. */
  hash(secret: string): string {
    return hashWith(this.#all[0]!, secret)
  }

  /** All hashes by which a secret may be kept, the one of now first. */
  *hashes(secret: string): Generator<string> {
    for (const pepper of this.#all) yield hashWith(pepper, secret)
  }

  /** Whether a hash is made as those of now are. */
  isCurrent(hash: string): boolean {
    return pepperOf(hash) === this.#all[0]!.id
  }

  /** Whether the secret of a hash can be recognised. */
  knows(hash: string): boolean {
    return this.#all.some(({ id }) => id === pepperOf(hash))
  }
}

const hashWith = ({ id, value }: Pepper, secret: string): string => {
  const hash = keyed(value, secret)
  return id === "" ? hash : `${id}.${hash}`
}

const pepperOf = (hash: string): string => hash.slice(0, Math.max(0, hash.indexOf(".")))
