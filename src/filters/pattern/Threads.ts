/**
 * Where searches stand that go on from a place, in the order of precedence: which instruction is next, and where the
 * match began.
 */
export class Threads {
  pcs = new Int32Array(32)
  starts = new Int32Array(32)
  count = 0
  /** where the match began that began first */
  earliest = Number.POSITIVE_INFINITY

  add(pc: number, start: number): void {
    if (this.count === this.pcs.length) this.grow()
    this.pcs[this.count] = pc
    this.starts[this.count++] = start
    if (start < this.earliest) this.earliest = start
  }

  /** What began is counted from a place that is so much later. */
  moveBack(length: number): void {
    for (let index = 0; index < this.count; index++) this.starts[index]! -= length
    this.earliest -= length
  }

  clear(): void {
    this.count = 0
    this.earliest = Number.POSITIVE_INFINITY
  }

  private grow(): void {
    const { pcs, starts } = this
    this.pcs = new Int32Array(2 * pcs.length)
    this.starts = new Int32Array(2 * pcs.length)
    this.pcs.set(pcs)
    this.starts.set(starts)
  }
}

/** No search has begun. */
export const noThreads = new Threads()

/**
 * What every step of a search needs and nothing keeps beyond it: one for all scanners of a program, so that those of many
 * short texts, such as the strings of a JSON document, cost nothing to make.
 */
export class Scratch {
  readonly stack: Int32Array
  private readonly seen: Int32Array
  private readonly seenFrom: Int32Array
  private readonly added: Int32Array
  private readonly addedFrom: Int32Array
  private readonly checked: Uint8Array
  private readonly free: Array<Threads> = []
  private round = 0

  /** `checked` are the instructions of patterns that may decline a match: what they took from another place counts by itself. */
  constructor(checked: Uint8Array, patterns: number) {
    const size = checked.length
    this.checked = checked
    this.seen = new Int32Array(size)
    this.seenFrom = new Int32Array(size)
    this.added = new Int32Array(size)
    this.addedFrom = new Int32Array(size)
    this.stack = new Int32Array(2 * size + patterns)
  }

  /** Begins a step: threads to be filled with what goes on after it. */
  begin(): Threads {
    if (++this.round === 0x7fff_ffff) {
      this.round = 1
      this.seen.fill(0)
      this.added.fill(0)
    }
    return this.free.pop() ?? new Threads()
  }

  /** Takes back what a step went on from, or came to nothing. */
  release(threads: Threads): void {
    if (threads === noThreads) return
    threads.clear()
    this.free.push(threads)
  }

  /** Whether a match that began there comes to an instruction for the first time in this step. */
  isNew(pc: number, start: number): boolean {
    const { seen, round } = this
    const checked = this.checked[pc] === 1
    if (seen[pc] === round && (!checked || this.seenFrom[pc] === start)) return false
    seen[pc] = round
    if (checked) this.seenFrom[pc] = start
    return true
  }

  /** Whether a match that began there goes on from an instruction for the first time in this step. */
  goesOn(pc: number, start: number): boolean {
    const { added, round } = this
    const checked = this.checked[pc] === 1
    if (added[pc] === round && (!checked || this.addedFrom[pc] === start)) return false
    added[pc] = round
    if (checked) this.addedFrom[pc] = start
    return true
  }
}
