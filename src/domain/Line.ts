/** An entry's place in a `Line`. */
export class Place<A> {
  readonly entry: A
  /** The line it stands in; undefined once it has left. */
  line: Line<A> | undefined
  before: Place<A> | undefined
  behind: Place<A> | undefined

  constructor(entry: A, line: Line<A>, before: Place<A> | undefined) {
    this.entry = entry
    this.line = line
    this.before = before
  }
}

/**
 * What waits, in the order in which it came. Whoever stands anywhere in it may leave, which costs the same however long it
 * is: after an outage it may be very long.
 */
export class Line<A> {
  #first: Place<A> | undefined
  #last: Place<A> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): A | undefined {
    return this.#first?.entry
  }

  add(entry: A): Place<A> {
    const place = new Place(entry, this, this.#last)
    if (this.#last === undefined) this.#first = place
    else this.#last.behind = place
    this.#last = place
    this.#size++
    return place
  }

  /** False where it does not stand here any more. */
  remove(place: Place<A>): boolean {
    if (place.line !== this) return false
    const { before, behind } = place
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
    // what has left must not keep alive who stood beside it
    place.line = place.before = place.behind = undefined
    this.#size--
    return true
  }

  /** Lets the first ones leave, at most so many, and returns them. */
  take(most: number): ReadonlyArray<A> {
    const taken: Array<A> = []
    while (this.#first !== undefined && taken.length < most) {
      taken.push(this.#first.entry)
      this.remove(this.#first)
    }
    return taken
  }
}
