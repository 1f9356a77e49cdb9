import type { Counter } from "./Counter.ts"
import type { Written } from "./CountStore.ts"

/** One that was not confirmed for so long is not relied on. */
const reliableMillis = 2000

/** So far the clocks of those who count together may go apart: windows that begin for one may have begun for another. */
const apartMillis = 60_000

/** What a process knows of its claim to the counts. Times are epoch milliseconds. */
export class Claim {
  /** whether calls are decided by it */
  isHeld = false
  /** how many there were: what was looked up under one says nothing under the next */
  #number = 0
  #since = 0
  #confirmedAt = 0
  #mayBeStored = false

  /** Whether the store has it, or may have it. */
  get mayBeStored(): boolean {
    return this.#mayBeStored
  }

  /** By which number things are known that are looked up now. */
  get number(): number {
    return this.isHeld ? this.#number : 0
  }

  /** Whether what is known of these counters is all there is, and nobody else can change it. */
  covers(counters: ReadonlyArray<{ readonly counter: Counter }>, now: number): boolean {
    return (
      this.isHeld && now - this.#confirmedAt <= reliableMillis && counters.every(({ counter }) => this.#knows(counter))
    )
  }

  /** In windows that began under the claim others have nothing, whatever their clocks said. */
  #knows(counter: Counter): boolean {
    const isNew = counter.window.start > this.#since + apartMillis
    if (counter.knownIn !== this.#number && isNew) counter.knownIn = this.#number
    return counter.knownIn === this.#number
  }

  /** Notes that the store is asked for it, or to give it up; until the answer it is not known whether it has it. */
  begin(wanted: boolean): { readonly end: (written: Written, begunAt: number, now: number) => void } {
    const before = this.#mayBeStored
    this.#mayBeStored ||= wanted
    return {
      end: (written, begunAt, now) => {
        this.#mayBeStored = written === "alone" || (before && (wanted || written !== "shared"))
        if (written === "alone") this.#confirm(begunAt, now)
      }
    }
  }

  #confirm(begunAt: number, now: number): void {
    this.#confirmedAt = begunAt
    if (this.isHeld) return
    this.isHeld = true
    this.#number++
    this.#since = now
  }

  /** Nothing is left of it. */
  forget(): void {
    this.isHeld = false
    this.#mayBeStored = false
  }
}
