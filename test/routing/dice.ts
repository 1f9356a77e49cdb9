/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
const numbersOf = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Chance that falls the same way for the same seed. */
export class Dice {
  readonly next: () => number

  constructor(seed: number) {
    this.next = numbersOf(seed)
  }

  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  /** once in so many times */
  once(inSo: number): boolean {
    return this.below(inSo) === 0
  }

  oneOf<A>(first: A, ...others: ReadonlyArray<A>): A {
    return [first, ...others][this.below(1 + others.length)] ?? first
  }
}
