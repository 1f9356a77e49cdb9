/**
 * The latest entries, at least `capacity` and at most twice as many. Entries that nobody has set or asked for while as many
 * others came are forgotten all at once: nothing is ever deleted one by one, which would keep alive what was deleted.
 */
export class Recent<A> {
  readonly #capacity: number
  #young = new Map<string, A>()
  #old = new Map<string, A>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get(name: string): A | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old !== undefined) this.set(name, old)
    return old
  }

  set(name: string, entry: A): void {
    this.#young.set(name, entry)
    if (this.#young.size < this.#capacity) return
    this.#old = this.#young
    this.#young = new Map()
  }
}
