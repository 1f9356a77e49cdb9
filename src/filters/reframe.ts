import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { type Cause, Effect, type Pull, Stream } from "effect"
import { frameOf, type Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { EventStream } from "./Filter.ts"
import type { Ending } from "./Verdict.ts"

/** How many frames are remembered while a filter keeps their events back. */
const maxPending = 4096

/** A frame whose events did not all come through yet, and those without events that stood before it. */
interface Pending {
  readonly frame: Frame
  readonly before: ReadonlyArray<Frame>
}

const none: ReadonlyArray<Frame> = []

const isStructural = (event: LlmEvent): boolean => !event._tag.endsWith("Delta") && event._tag !== "UsageReported"

/**
 * Puts events that passed a filter back into the frames they came in. A frame whose events all came through, in order,
 * is the same frame; what is new or lost its company becomes a frame without text of its own.
 *
 * A frame without events (the beginning of a block that is told when it is complete, a ping) goes with the next frame that
 * has some: what it says is told by the events of that one at the latest, and it is verbatim or left out with them.
 *
 * What was taken out must not come back by another way. Once anything was changed, only frames of plain deltas are still
 * verbatim: the text of one that ends a block or the answer may repeat what was changed before. And once the structure was
 * changed (a block dropped, one added) the numbering of blocks in the provider's own text no longer holds, so from then on
 * nothing is verbatim.
 */
class Reframer {
  private readonly pending: Array<Pending> = []
  /** frames without events, which wait for the next that has some */
  private silent: Array<Frame> = []
  /** the events of the pending frames that did not come through yet */
  private readonly awaited = new Set<LlmEvent>()
  /** how many events of the first pending frame came through so far */
  private matched = 0
  private changed: "nothing" | "content" | "structure" = "nothing"
  private out: Array<Frame> = []

  remember(frames: ReadonlyArray<Frame>): ReadonlyArray<LlmEvent> {
    const events: Array<LlmEvent> = []
    for (const frame of frames) {
      if (frame.events.length === 0) {
        this.keepSilent(frame)
        continue
      }
      this.pending.push({ frame, before: this.silent.length === 0 ? none : this.silent })
      if (this.silent.length > 0) this.silent = []
      for (const event of frame.events) {
        events.push(event)
        this.awaited.add(event)
      }
    }
    if (this.pending.length > maxPending) this.drop(this.pending.length - maxPending)
    return events
  }

  reframe(events: ReadonlyArray<LlmEvent>): ReadonlyArray<Frame> {
    for (const event of events) this.accept(event)
    return this.take()
  }

  /** The stream ended: frames without events at the end pass, events that were awaited never came. */
  halt(): ReadonlyArray<Frame> {
    this.drop(this.pending.length)
    for (const frame of this.silent) this.pass(frame)
    this.silent = []
    return this.take()
  }

  private take(): ReadonlyArray<Frame> {
    const { out } = this
    this.out = []
    return out
  }

  private keepSilent(frame: Frame): void {
    if (this.silent.length < maxPending) this.silent.push(frame)
    // Too many to remember: what is left of them makes no sense.
    else this.changed = "structure"
  }

  private accept(event: LlmEvent): void {
    if (this.pending[0]?.frame.events[this.matched] !== event) {
      if (!this.awaited.has(event)) return this.insert(event)
      this.skipTo(event)
    }
    this.matched++
    this.awaited.delete(event)
    const first = this.pending[0]
    if (first === undefined || this.matched < first.frame.events.length) return
    this.pending.shift()
    this.matched = 0
    for (const frame of first.before) this.pass(frame)
    this.pass(first.frame)
  }

  /** An event that no pending frame has. What stands before it in a frame that came through in part goes out before it. */
  private insert(event: LlmEvent): void {
    if (this.matched > 0) this.breakFirst()
    this.note(event)
    this.out.push(frameOf([event]))
  }

  private pass(frame: Frame): void {
    const verbatim =
      this.changed === "nothing" ||
      (this.changed === "content" && frame.events.length > 0 && !frame.events.some(isStructural))
    if (verbatim) this.out.push(frame)
    else if (frame.events.length > 0) this.out.push({ ...frame, raw: undefined })
  }

  /** Gives up the wholeness of the first frame: what matched goes out, the rest is awaited event by event. */
  private breakFirst(): void {
    const first = this.pending[0]
    if (first === undefined) return
    const { frame } = first
    if (this.matched > 0) this.out.push(frameOf(frame.events.slice(0, this.matched)))
    this.pending.splice(
      0,
      1,
      ...frame.events.slice(this.matched).map((event) => ({ frame: frameOf([event]), before: none }))
    )
    this.matched = 0
  }

  /** Drops what stands before an awaited event and did not come through. */
  private skipTo(event: LlmEvent): void {
    this.drop(
      this.pending.findIndex(({ frame }, index) => frame.events.includes(event, index === 0 ? this.matched : 0))
    )
    const lost = (this.pending[0]?.frame.events.indexOf(event, this.matched) ?? 0) - this.matched
    if (lost === 0) return
    this.breakFirst()
    this.drop(lost)
  }

  /** The first `count` pending frames were dropped by the filter, or are too many to remember. */
  private drop(count: number): void {
    if (count <= 0) return
    const first = this.pending[0]
    if (first !== undefined && this.matched > 0) this.out.push(frameOf(first.frame.events.slice(0, this.matched)))
    for (const [index, { frame }] of this.pending.splice(0, count).entries()) {
      for (const event of index === 0 ? frame.events.slice(this.matched) : frame.events) {
        this.awaited.delete(event)
        this.note(event)
      }
    }
    this.matched = 0
  }

  /** Notes that an event was added or lost. */
  private note(event: LlmEvent): void {
    if (isStructural(event)) this.changed = "structure"
    else if (this.changed === "nothing") this.changed = "content"
  }
}

type Batches<A> = Pull.Pull<NonEmptyReadonlyArray<A>, LlmError | Ending>

/** The events of the frames, which are remembered. */
const eventsOf = (pull: Batches<Frame>, reframer: Reframer): Batches<LlmEvent> => {
  const next: Batches<LlmEvent> = Effect.flatMap(pull, (frames) => {
    const events = reframer.remember(frames)
    return isReadonlyArrayNonEmpty(events) ? Effect.succeed(events) : next
  })
  return next
}

/** The frames of the events, and at the end, however it came, what is left of them. */
const framesOf = (pull: Batches<LlmEvent>, reframer: Reframer): Batches<Frame> => {
  let end: Cause.Cause<LlmError | Ending | Cause.Done> | undefined
  const next: Batches<Frame> = Effect.suspend(() => {
    if (end !== undefined) return Effect.failCause(end)
    return Effect.matchCauseEffect(pull, {
      onSuccess: (events) => handOn(reframer.reframe(events)),
      onFailure: (cause) => {
        end = cause
        return handOn(reframer.halt())
      }
    })
  })
  const handOn = (frames: ReadonlyArray<Frame>) => (isReadonlyArrayNonEmpty(frames) ? Effect.succeed(frames) : next)
  return next
}

/** Applies a change of events to a stream of frames, so that frames whose events it leaves alone stay what they are. */
export const onEvents =
  (change: (self: EventStream) => EventStream) =>
  (self: Stream.Stream<Frame, LlmError>): Stream.Stream<Frame, LlmError | Ending> =>
    Stream.suspend(() => {
      const reframer = new Reframer()
      const events = Stream.transformPull(self, (pull) => Effect.succeed(eventsOf(pull, reframer)))
      return Stream.transformPull(change(events), (pull) => Effect.succeed(framesOf(pull, reframer)))
    })
