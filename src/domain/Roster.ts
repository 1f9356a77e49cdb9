/**
 * What is there at the moment, by name: calls, requests, whatever comes and goes all the time. In the order of its
 * arrival, unless names are whole numbers, whose order is their own.
 *
 * A `Map` would keep what has left it alive. V8 links the table that a map has outgrown, with all that stood in it, to
 * the next one: once one of them is old, every younger one survives each collection of the young generation, and with it
 * every call that ever was, until the next full collection. Copying them was a large part of what collections cost.
 */
export class Roster<A> {
  // Without a prototype it is a dictionary from the beginning.
  private entries: { [name: string]: A } = Object.create(null)
  private count = 0

  get size(): number {
    return this.count
  }

  /** Who came first of those that are there. */
  get first(): A | undefined {
    for (const name in this.entries) return this.entries[name]
    return undefined
  }

  /** All that are there now. */
  get all(): ReadonlyArray<A> {
    return Object.values(this.entries)
  }

  get(name: string): A | undefined {
    return this.entries[name]
  }

  add(name: string, entry: A): void {
    if (!(name in this.entries)) this.count++
    this.entries[name] = entry
  }

  /** Removes all that are there, and returns them. */
  takeAll(): ReadonlyArray<A> {
    const { all } = this
    this.entries = Object.create(null)
    this.count = 0
    return all
  }

  /** False where it was not there. */
  remove(name: string): boolean {
    if (!(name in this.entries)) return false
    this.count--
    return delete this.entries[name]
  }
}
