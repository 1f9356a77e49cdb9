import { Effect } from "effect"

/** Who waits for a place at one of several targets. */
class Waiter {
  granted: InFlight | undefined
  private readonly lines: ReadonlyArray<InFlight>
  private readonly resume: (effect: Effect.Effect<InFlight>) => void

  constructor(lines: ReadonlyArray<InFlight>, resume: (effect: Effect.Effect<InFlight>) => void) {
    this.lines = lines
    this.resume = resume
    for (const line of lines) line.waiting.add(this)
  }

  grant(line: InFlight): void {
    for (const other of this.lines) other.waiting.delete(this)
    this.granted = line
    this.resume(Effect.succeed(line))
  }

  leave(): void {
    for (const line of this.lines) line.waiting.delete(this)
    this.granted?.release()
  }
}

/** How many attempts a target has at a time, and who waits for one of them to end, in the order of their arrival. */
export class InFlight {
  private taken = 0
  readonly waiting = new Set<Waiter>()

  get count(): number {
    return this.taken
  }

  get queued(): number {
    return this.waiting.size
  }

  take(): void {
    this.taken++
  }

  /** Gives a place back. Who waits the longest gets it: somebody who comes now does not overtake. */
  release(): void {
    this.taken--
    const [first] = this.waiting
    if (first === undefined) return
    this.taken++
    first.grant(this)
  }
}

/**
 * Waits for a place at any of the targets and takes it. `bounded` says for how long, and makes the wait alone
 * interruptible: who leaves after the place was given gives it back.
 */
export const waitInLine = <E>(
  lines: ReadonlyArray<InFlight>,
  bounded: (wait: Effect.Effect<InFlight>) => Effect.Effect<InFlight | undefined, E>
): Effect.Effect<InFlight | undefined, E> =>
  Effect.suspend(() => {
    let waiter: Waiter | undefined
    const wait = Effect.callback<InFlight>((resume) => {
      waiter = new Waiter(lines, resume)
    })
    return Effect.onExit(bounded(wait), (exit) =>
      Effect.sync(() => {
        if (exit._tag === "Failure" || exit.value === undefined) waiter?.leave()
      })
    )
  })
