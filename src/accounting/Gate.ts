import { type Clock, Effect, Latch } from "effect"
import { randomBytes } from "node:crypto"
import { StorageError } from "../storage/Database.ts"
import { Outage } from "../storage/Outage.ts"
import { Claim } from "./Claim.ts"
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

/** How long the store may be without what this process has counted, where no call waits for it. */
const settleDelay = "100 millis"
/** How often it is tried again where others were faster. */
const maxTries = 30
/** A claim of somebody else is waited for, but not for ever. */
const claimBrokenMillis = 5000
const claimPolled = "20 millis"
/** What others have taken is known for so long, as far as callers are told of it. */
const knownMillis = 5000
/** After how long without calls a claim is given up, so that whoever comes does not wait for long. */
const idleDelay = "1 second"

/**
 * Decides who gets in: all limits of a call at once, or none of them.
 *
 * While nobody else counts along, a process claims the counts, decides in memory, and writes soon after. Whoever comes then
 * waits until the claim is given up with everything that was decided under it. From then on what a call takes is written
 * before it gets in, and everybody who asks meanwhile is decided on with the next write. A process writes what it has
 * counted as a whole, so that a write may be repeated; the store undoes one that, with what others have, would pass a
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
  readonly #claim = new Claim()
  /** since when somebody else's claim keeps this process waiting */
  #claimedSince: number | undefined
  /** of the store */
  readonly outage = new Outage({
    begun: "What calls have used cannot be looked up or written; it is tried again",
    over: "What calls have used can be looked up and written again"
  })

  constructor(store: CountStore["Service"], counters: Counters, clock: Clock.Clock) {
    this.#store = store
    this.#counters = counters
    this.#clock = clock
  }

  /** Takes what is wanted, or says what has no room; undefined where others have to be asked. */
  decide(wants: ReadonlyArray<Want>): "taken" | Denied | undefined {
    if (this.#store.isShared && !this.#claim.covers(wants, this.#clock.currentTimeMillisUnsafe())) return undefined
    const want = firstWithoutRoom(wants)
    if (want !== undefined) return { _tag: "Denied", want }
    for (const { amount, counter } of wants) counter.hold(amount)
    this.changed()
    return "taken"
  }

  /** Takes what is wanted, or fails with the first limit that has no room. Interrupted, it takes nothing. */
  ask(wants: ReadonlyArray<Want>): Effect.Effect<void, Denied | Unknown> {
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

  /** To be called after counters were changed. */
  changed(): void {
    if (this.#store.isShared) this.#changed.openUnsafe()
  }

  /** Decides and writes for as long as it runs. */
  readonly run: Effect.Effect<never> = Effect.gen({ self: this }, function* () {
    for (;;) {
      yield* this.#awaitChange
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

  get #awaitChange(): Effect.Effect<void> {
    if (!this.#claim.isHeld) return this.#changed.await
    return Effect.flatMap(Effect.timeoutOption(this.#changed.await, idleDelay), (changed) => {
      if (changed._tag === "Some") return Effect.void
      this.#claim.isHeld = false
      return this.#round([])
    })
  }

  /** Writes what has not been written yet, for the last time. */
  readonly flush: Effect.Effect<void> = Effect.suspend(() =>
    Effect.catch(this.#decide([]), (error) => Effect.logWarning("What calls have used could not be written", error))
  )

  readonly #round = Effect.fnUntraced(function* (this: Gate, asked: ReadonlyArray<Asked>) {
    const exit = yield* Effect.result(this.#decide(asked))
    for (const each of asked) {
      const isIn = each.held && exit._tag === "Success"
      if (each.held && (!isIn || each.left)) this.#giveBack(each)
      if (exit._tag === "Failure") each.resume(Effect.fail<Unknown>({ _tag: "Unknown", why: exit.failure }))
      else if (isIn) each.resume(Effect.void)
      else if (each.denied !== undefined) each.resume(Effect.fail<Denied>({ _tag: "Denied", want: each.denied }))
    }
    if (exit._tag === "Success") return
    // Many at once are no outage: the store answered them all.
    if (exit.failure !== tooBusy) yield* this.outage.failed(exit.failure)
    if (asked.length === 0) yield* Effect.sleep("1 second")
    // What calls have used is still to be written, whoever asked.
    this.#changed.openUnsafe()
  })

  readonly #decide = Effect.fnUntraced(function* (
    this: Gate,
    asked: ReadonlyArray<Asked>
  ): Effect.fn.Return<void, StorageError> {
    const involved = [...new Set(asked.flatMap(({ wants }) => wants.map(({ counter }) => counter)))]
    // Under a claim only the first look is missing.
    const since = this.#claim.isHeld ? Infinity : this.#clock.currentTimeMillisUnsafe() - knownMillis
    const unknown = involved.filter(({ lookedAt }) => lookedAt < since)
    yield* this.#look(unknown)
    let isFresh = unknown.length === involved.length
    for (let tries = 0; tries <= maxTries; tries++) {
      for (const each of asked) this.#hold(each)
      if (!isFresh && asked.some(({ denied }) => denied !== undefined)) {
        for (const each of asked) this.#giveBack(each)
        yield* this.#look(involved)
        isFresh = true
        continue
      }
      const written = yield* this.#write(asked)
      if (written === "alone" || written === "shared") return
      for (const each of asked) this.#giveBack(each)
      if (written === "claimed") {
        yield* this.#awaitClaim()
        tries--
      }
      yield* this.#look(involved)
      isFresh = true
    }
    return yield* tooBusy
  })

  /** Waits for a moment until somebody else has given up its claim, but not for ever. */
  #awaitClaim(): Effect.Effect<void, StorageError> {
    const now = this.#clock.currentTimeMillisUnsafe()
    this.#claimedSince ??= now
    return now - this.#claimedSince < claimBrokenMillis
      ? Effect.sleep(claimPolled)
      : this.#store.breakClaims(this.#owner)
  }

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
    if (counters.length === 0) return
    const claim = this.#claim.number
    const now = this.#clock.currentTimeMillisUnsafe()
    const keys = counters.map(({ id, window }) => ({ id, start: window.start }))
    const others = yield* this.#store.others(this.#owner, keys)
    for (const [index, counter] of counters.entries()) {
      counter.others = others[index] ?? 0
      counter.lookedAt = now
      counter.knownIn = claim
    }
  })

  /** Writes what was counted, and gives up a claim that is not relied on any more, or if somebody else has come. */
  readonly #write = Effect.fnUntraced(function* (this: Gate, asked: ReadonlyArray<Asked>) {
    if (this.#claim.isHeld) {
      const written = yield* this.#tell(asked, true)
      if (written !== "shared") return written
      // What was decided meanwhile was not written with it.
      this.#claim.isHeld = false
    }
    return yield* this.#tell(asked, !this.#claim.mayBeStored)
  })

  readonly #tell = Effect.fnUntraced(function* (this: Gate, asked: ReadonlyArray<Asked>, claim: boolean) {
    const { isHeld } = this.#claim
    const counters = [...this.#counters.untold]
    if (counters.length === 0 && claim) return isHeld ? "alone" : "shared"
    const maxima = isHeld ? noMaxima : maximaOf(asked)
    const told = counters.map((counter) => counter.used)
    const counts = counters.map((counter) => countOf(counter, maxima.get(counter)))
    this.#counters.untold.clear()
    const tellAgain = () => {
      for (const counter of counters) this.#counters.untold.add(counter)
    }
    const begunAt = this.#clock.currentTimeMillisUnsafe()
    const asking = this.#claim.begin(claim)
    const written = yield* Effect.onError(this.#store.write(this.#owner, counts, claim), () => Effect.sync(tellAgain))
    asking.end(written, begunAt, this.#clock.currentTimeMillisUnsafe())
    yield* this.outage.ended
    if (written === "shared" || written === "alone") {
      this.#claimedSince = undefined
      for (const [index, counter] of counters.entries()) counter.told = told[index] ?? 0
      return written
    }
    tellAgain()
    if (written === "disowned") yield* this.enter
    return written
  })

  /** Begins to count under a new name; what was told under the one before is others' from now on. */
  readonly enter: Effect.Effect<void, StorageError> = Effect.suspend(() => {
    this.#claim.forget()
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

  /** Says that this process lives, and learns how much others have taken meanwhile of what calls hold that run. */
  readonly beat: Effect.Effect<void, StorageError> = Effect.suspend(() => {
    const now = this.#clock.currentTimeMillisUnsafe()
    if (!this.#store.isShared) this.#counters.untold.clear()
    this.#counters.prune(now)
    return Effect.andThen(this.#store.beat(this.#owner, now), () => {
      const running = this.#claim.isHeld ? [] : this.#counters.all.filter(({ held }) => held > 0)
      return Effect.andThen(this.#look(running), this.outage.ended)
    })
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
    if (first === undefined || roomAt(want) > roomAt(first)) first = want
  }
  return first
}

/** When a limit has room again, at the latest; calls that run are soon over. */
const roomAt = ({ counter, limit }: Want): number => (limit.measure === "concurrent" ? 0 : counter.window.end)

const noMaxima: ReadonlyMap<Counter, number> = new Map()

/** Up to which each counter may go that somebody asked for. */
const maximaOf = (asked: ReadonlyArray<Asked>): ReadonlyMap<Counter, number> => {
  const maxima = new Map<Counter, number>()
  for (const { held, wants } of asked) {
    if (!held) continue
    for (const { counter, limit } of wants) maxima.set(counter, Math.min(limit.max, maxima.get(counter) ?? Infinity))
  }
  return maxima
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
