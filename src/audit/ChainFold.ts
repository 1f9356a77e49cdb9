import { type Link, noLink } from "./Chain.ts"

/** Where a chain of records is not as it was written. */
export interface ChainBreak {
  /**
   * `changed`: a record is not the one that was written there; `missing`: one or more are gone; `reordered`: a later one
   * stands before it; `inserted`: one stands there that no link leads to.
   */
  readonly kind: "changed" | "missing" | "reordered" | "inserted"
  readonly owner: string
  /** The number of the link at which the chain breaks. */
  readonly link: number
  /** The id of the call, where there is a record to name. */
  readonly id: string | undefined
  readonly message: string
}

/** What was looked at, and where it is not whole. */
export interface Verification {
  readonly records: number
  readonly chains: number
  /** Records from before there were chains, which nothing vouches for. */
  readonly unlinked: number
  /** Chains whose first records were removed for their age or size: they are whole from the link after this one. */
  readonly truncated: ReadonlyArray<{ readonly owner: string; readonly link: number }>
  /** The first break; undefined where all chains are whole. */
  readonly broken: ChainBreak | undefined
}

/** A record as it stands in its chain. */
export interface Standing {
  readonly owner: string
  readonly id: string
  readonly link: Link
}

/** Follows chains record by record. */
export class ChainFold {
  readonly #heads = new Map<string, Link>()

  /** Says where a chain begins; one of which nothing is said begins at its beginning. */
  begin(owner: string, anchor: Link): void {
    this.#heads.set(owner, anchor)
  }

  get owners(): ReadonlyArray<string> {
    return [...this.#heads.keys()]
  }

  /** The link that was reached. */
  head(owner: string): Link {
    return this.#heads.get(owner) ?? noLink
  }

  /** Takes the next record; `hashAfter` is the hash that it should have behind the one before it. */
  follow({ id, link, owner }: Standing, hashAfter: (previous: Link) => string): ChainBreak | undefined {
    const previous = this.head(owner)
    const found = { owner, link: link.number, id }
    if (link.number <= previous.number) {
      return { ...found, kind: "inserted", message: `stands behind link ${previous.number}` }
    }
    if (link.number > previous.number + 1) {
      const first = previous.number + 1
      const missing = link.number - first
      const message = `${missing === 1 ? "the record of this link is" : `${missing} records from this link on are`} not there`
      return { kind: "missing", owner, link: first, id: undefined, message }
    }
    if (hashAfter(previous) !== link.hash) {
      return { ...found, kind: "changed", message: "is not what was written after the record before it" }
    }
    this.#heads.set(owner, link)
    return undefined
  }
}
