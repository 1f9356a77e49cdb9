import { type Clock, Duration, Effect, Fiber, type Scope } from "effect"

/** Something that has to be looked at when its time comes. */
export interface Watched {
  /**
   * Does what is due at `now`, and says when to look again, both in epoch milliseconds; `Infinity` where it waits for
   * nothing. What it says may turn out too early, but never too late, unless `watch` is called again.
   */
  readonly look: (now: number) => number
  /** where the watchdog keeps it, which alone reads and writes this */
  seat?: Seat | undefined
}

/** What is watched, when it is looked at again, and its index among the others. */
interface Seat {
  readonly watched: Watched
  due: number
  index: number
}

/**
 * Looks at everything that is watched, each when its time comes. One sleeping fiber for all of them: a fiber and a timer
 * for every call and every stream cost more than what they are there to bound.
 */
export class Watchdog {
  private readonly clock: Clock.Clock
  private readonly run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  // Not a map: see `Roster`, which says what becomes of what has left one.
  private readonly seats: Array<Seat> = []
  private sleeper: Fiber.Fiber<void> | undefined
  private sleepsUntil = Infinity

  constructor(clock: Clock.Clock, run: (effect: Effect.Effect<void>) => Fiber.Fiber<void>) {
    this.clock = clock
    this.run = run
  }

  /** A watchdog that watches until the scope closes. */
  static readonly make: Effect.Effect<Watchdog, never, Scope.Scope> = Effect.acquireRelease(
    Effect.contextWith((context) =>
      Effect.clockWith((clock) => Effect.succeed(new Watchdog(clock, Effect.runForkWith(context))))
    ),
    (watchdog) => watchdog.stopped
  )

  get now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** Looks at once, and again when it is due; called again where that may be earlier than what was said. */
  watch(watched: Watched): void {
    const due = watched.look(this.now)
    if (watched.seat !== undefined) watched.seat.due = due
    else if (due < Infinity) {
      watched.seat = { watched, due, index: this.seats.length }
      this.seats.push(watched.seat)
    }
    if (due < this.sleepsUntil) this.sleepUntil(due)
  }

  unwatch(watched: Watched): void {
    const { seat } = watched
    const last = this.seats.at(-1)
    if (seat === undefined || last === undefined) return
    watched.seat = undefined
    last.index = seat.index
    this.seats[seat.index] = last
    this.seats.pop()
  }

  private get stopped(): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const seat of this.seats.splice(0)) seat.watched.seat = undefined
      return this.sleeper === undefined ? Effect.void : Fiber.interrupt(this.sleeper)
    })
  }

  private sleepUntil(time: number): void {
    this.sleeper?.interruptUnsafe()
    this.sleepsUntil = time
    this.sleeper = this.run(Effect.flatMap(this.clock.sleep(Duration.millis(time - this.now)), () => this.lookAtAll))
  }

  /** Who breaks is not looked at again, so that it is not the end of looking at all others. */
  private readonly lookAtDue: Effect.Effect<void> = Effect.catchDefect(
    Effect.sync(() => {
      const { now } = this
      // What is looked at may end itself and others, and with that take their seats from them.
      for (const seat of this.seats.filter(({ due }) => due <= now)) {
        if (seat.watched.seat !== seat) continue
        seat.due = Infinity
        seat.due = seat.watched.look(now)
      }
    }),
    (defect) => Effect.andThen(Effect.logError("What was due could not be done", defect), () => this.lookAtDue)
  )

  private readonly lookAtAll: Effect.Effect<void> = Effect.suspend(() => {
    // Whoever is watched from here on until the next sleep is looked at below.
    this.sleepsUntil = -Infinity
    return Effect.flatMap(this.lookAtDue, () => {
      const next = this.seats.reduce((soonest, { due }) => Math.min(soonest, due), Infinity)
      this.sleepsUntil = next
      if (next === Infinity) return Effect.void
      return Effect.flatMap(this.clock.sleep(Duration.millis(next - this.now)), () => this.lookAtAll)
    })
  })
}
