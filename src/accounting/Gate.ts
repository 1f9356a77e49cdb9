import { type Clock, Effect, Latch } from "effect"
import { randomBytes } from "node:crypto"
import { StorageError } from "../storage/Database.ts"
import type { Counter, Counters, Want } from "./Counter.ts"
import type { Count, CountStore } from "./CountStore.ts"

/** A limit has no room. */
export interface Denied {
  readonly _tag: "Denied"
  readonly want: Want
}

/** Whether there is room cannot be found out. */
export interface Unknown {
  readonly _tag: "Unknown"
  readonly why: StorageError
}

interface Asked {
  readonly wants: ReadonlyArray<Want>
  readonly resume: (answer: Effect.Effect<void, Denied | Unknown>) => void
  denied: Want | undefined
  held: boolean
  left: boolean
}

/** How long the store may be without what calls have settled with, where no call asks meanwhile. */
const settleDelay = "100 millis"
/** How often it is tried again where others were faster. */
const maxTries = 30

/**
 * Decides who gets in: all limits of a call at once, or none of them. Where others count along, what a call takes is
 * written before it gets in, and everybody who asks meanwhile is decided on with the next write. A process writes what it
 * has counted as a whole, so that a write may be repeated; the store undoes one that, with what others have, would pass a
 * limit. Nobody is denied but after a look at what others have.
 */
export class Gate {
  readonly #store: CountStore["Service"]
  readonly #counters: Counters
  readonly #clock: Clock.Clock
  readonly #queue = new Set<Asked>()
  readonly #asked = Latch.makeUnsafe(false)
  readonly #changed = Latch.makeUnsafe(false)
  #owner = ""

  constructor(store: CountStore["Service"], counters: Counters, clock: Clock.Clock) {
    this.#store = store
    this.#counters = counters
    this.#clock = clock
  }

  /** Takes what is wanted, or fails with the first limit that has no room. Interrupted, it takes nothing. */
  take(wants: ReadonlyArray<Want>): Effect.Effect<void, Denied | Unknown> {
    if (!this.#store.isShared) return this.#takeAlone(wants)
    return Effect.callback((resume) => {
      const asked: Asked = { wants, resume, denied: undefined, held: false, left: false }
      this.#queue.add(asked)
      this.#asked.openUnsafe()
      this.#changed.openUnsafe()
      return Effect.sync(() => {
        asked.left = true
        // What a round has in hand is given back when it is written.
        this.#queue.delete(asked)
      })
    })
  }

  #takeAlone(wants: ReadonlyArray<Want>): Effect.Effect<void, Denied> {
    return Effect.suspend(() => {
      const want = firstWithoutRoom(wants)
      if (want !== undefined) return Effect.fail<Denied>({ _tag: "Denied", want })
      for (const { amount, counter } of wants) counter.hold(amount)
      return Effect.void
    })
  }

  /** To be called after counters were changed. */
  changed(): void {
    if (this.#store.isShared) this.#changed.openUnsafe()
  }

  /** Decides and writes for as long as it runs. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    for (;;) {
      yield* this.#changed.await
      if (this.#queue.size === 0) yield* Effect.raceFirst(this.#asked.await, Effect.sleep(settleDelay))
      // One turn, in which everybody who asks now joins.
      yield* Effect.yieldNow
      this.#asked.closeUnsafe()
      this.#changed.closeUnsafe()
      const asked = [...this.#queue]
      this.#queue.clear()
      yield* this.#round(asked)
    }
  })

  /** Writes what has not been written yet. */
  readonly flush: Effect.Effect<void> = Effect.suspend(() => this.#round([]))

  readonly #round = Effect.fnUntraced(function* (this: Gate, asked: ReadonlyArray<Asked>) {
    const exit = yield* Effect.result(this.#decide(asked))
    for (const each of asked) {
      const isIn = each.held && exit._tag === "Success"
      if (each.held && (!isIn || each.left)) this.#giveBack(each)
      if (exit._tag === "Failure") each.resume(Effect.fail<Unknown>({ _tag: "Unknown", why: exit.failure }))
      else if (isIn) each.resume(Effect.void)
      else if (each.denied !== undefined) each.resume(Effect.fail<Denied>({ _tag: "Denied", want: each.denied }))
    }
    if (exit._tag === "Failure" && asked.length === 0) {
      yield* Effect.logWarning("What calls have used cannot be written; it is tried again", exit.failure)
      yield* Effect.sleep("1 second")
      this.#changed.openUnsafe()
    }
  })

  readonly #decide = Effect.fnUntraced(function* (
    this: Gate,
    asked: ReadonlyArray<Asked>
  ): Effect.fn.Return<void, StorageError> {
    const involved = [...new Set(asked.flatMap(({ wants }) => wants.map(({ counter }) => counter)))]
    let isFresh = false
    for (let tries = 0; ; tries++) {
      for (const each of asked) this.#hold(each)
      if (!isFresh && asked.some(({ denied }) => denied !== undefined)) {
        for (const each of asked) this.#giveBack(each)
        yield* this.#look(involved)
        isFresh = true
        continue
      }
      if ((yield* this.#write(asked)) === "written") return
      if (tries === maxTries) return yield* tooBusy
      for (const each of asked) this.#giveBack(each)
      yield* this.#look(involved)
      isFresh = true
    }
  })

  #hold(asked: Asked): void {
    if (asked.left) return
    asked.denied = firstWithoutRoom(asked.wants)
    if (asked.denied !== undefined) return
    for (const { amount, counter } of asked.wants) counter.hold(amount)
    asked.held = true
  }

  #giveBack(asked: Asked): void {
    if (!asked.held) return
    for (const { amount, counter } of asked.wants) counter.hold(-amount)
    asked.held = false
    this.#changed.openUnsafe()
  }

  /** Learns what others have taken. */
  readonly #look = Effect.fnUntraced(function* (this: Gate, counters: ReadonlyArray<Counter>) {
    const keys = counters.map(({ id, window }) => ({ id, start: window.start }))
    const others = yield* this.#store.others(this.#owner, keys)
    for (const [index, counter] of counters.entries()) counter.others = others[index] ?? 0
  })

  readonly #write = Effect.fnUntraced(function* (this: Gate, asked: ReadonlyArray<Asked>) {
    const maxima = new Map<Counter, number>()
    for (const { held, wants } of asked) {
      if (!held) continue
      for (const { counter, limit } of wants) {
        maxima.set(counter, Math.min(limit.max, maxima.get(counter) ?? Infinity))
      }
    }
    const counters = [...this.#counters.untold]
    if (counters.length === 0) return "written"
    const told = counters.map((counter) => counter.used)
    const counts = counters.map((counter) => countOf(counter, maxima.get(counter)))
    this.#counters.untold.clear()
    const tellAgain = () => {
      for (const counter of counters) this.#counters.untold.add(counter)
    }
    const written = yield* Effect.onError(this.#store.write(this.#owner, counts), () => Effect.sync(tellAgain))
    if (written === "written") {
      for (const [index, counter] of counters.entries()) counter.told = told[index] ?? 0
      return written
    }
    tellAgain()
    if (written === "disowned") yield* this.enter
    return written
  })

  /** Begins to count under a new name; what was told under the one before is others' from now on. */
  readonly enter: Effect.Effect<void, StorageError> = Effect.suspend(() => {
    const owner = randomBytes(12).toString("hex")
    return Effect.map(this.#store.enter(owner, this.#clock.currentTimeMillisUnsafe()), () => {
      this.#owner = owner
      for (const counter of this.#counters.all) {
        counter.used -= counter.told
        counter.others += counter.told
        counter.told = 0
        if (counter.used + counter.held > 0) this.#counters.untold.add(counter)
      }
    })
  })

  /** Says that this process lives, and learns how much others have taken meanwhile. */
  readonly beat: Effect.Effect<void, StorageError> = Effect.suspend(() => {
    const now = this.#clock.currentTimeMillisUnsafe()
    this.#counters.prune(now)
    return Effect.andThen(this.#store.beat(this.#owner, now), () => this.#look(this.#counters.all))
  })

  /** Lets go of everything, because the process ends. */
  readonly leave: Effect.Effect<void, StorageError> = Effect.suspend(() => this.#store.leave(this.#owner))
}

const firstWithoutRoom = (wants: ReadonlyArray<Want>): Want | undefined => {
  let first: Want | undefined
  for (const want of wants) {
    const { amount, counter, limit } = want
    if (counter.fits(amount, limit.max)) continue
    // Of several that have no room the one that has it last decides when to come back.
    if (first === undefined || counter.window.end > first.counter.window.end) first = want
  }
  return first
}

const countOf = ({ held, id, used, window }: Counter, max: number | undefined): Count => ({
  id,
  start: window.start,
  end: window.end,
  used,
  held,
  max
})

const tooBusy = new StorageError({ operation: "batch", kind: "busy", message: "others count the same all the time" })
