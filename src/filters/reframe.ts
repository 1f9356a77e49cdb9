import { Stream } from "effect"
import { frameOf, type Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { EventStream } from "./Filter.ts"

/** How many frames are remembered while a filter keeps their events back. */
const maxPending = 4096

const isStructural = (event: LlmEvent): boolean => !event._tag.endsWith("Delta") && event._tag !== "UsageReported"

/**
 * Puts events that passed a filter back into the frames they came in. A frame whose events all came through, in order,
 * is the same frame; what is new or lost its company becomes a frame without text of its own.
 *
 * Once the structure of the answer was changed (a block dropped, one added) the numbering of blocks in the provider's own
 * text no longer holds, so from then on nothing is verbatim.
 */
class Reframer {
  private readonly pending: Array<Frame> = []
  /** how many events of the first pending frame came through so far */
  private matched = 0
  private structureChanged = false

  remember(frames: ReadonlyArray<Frame>): ReadonlyArray<LlmEvent> {
    const events: Array<LlmEvent> = []
    for (const frame of frames) {
      this.pending.push(frame)
      events.push(...frame.events)
    }
    if (this.pending.length > maxPending) this.forget(this.pending.length - maxPending, [])
    return events
  }

  reframe(events: ReadonlyArray<LlmEvent>): Array<Frame> {
    const out: Array<Frame> = []
    for (const event of events) this.accept(event, out)
    return out
  }

  /** The stream ended: frames without events at the end pass, events that were awaited never came. */
  halt(): Array<Frame> {
    const out: Array<Frame> = []
    this.passSilent(out)
    this.forget(this.pending.length, out)
    return out
  }

  private accept(event: LlmEvent, out: Array<Frame>): void {
    this.passSilent(out)
    const first = this.pending[0]
    if (first?.events[this.matched] === event) {
      this.matched++
      if (this.matched === first.events.length) {
        this.pending.shift()
        this.matched = 0
        out.push(this.structureChanged ? { ...first, raw: undefined } : first)
        this.passSilent(out)
      }
      return
    }
    const at = this.pending.findIndex((frame) => frame.events.includes(event))
    if (at < 0) {
      // A new event: what stands before it in the same frame has to go out before it.
      this.breakFirst(out)
      if (isStructural(event)) this.structureChanged = true
      out.push(frameOf([event]))
      return
    }
    this.forget(at, out)
    this.skipTo(event, out)
    this.accept(event, out)
  }

  /** Frames that decode to nothing have nothing to wait for. */
  private passSilent(out: Array<Frame>): void {
    while (this.pending.length > 0 && this.pending[0]!.events.length === 0) {
      const frame = this.pending.shift()!
      if (!this.structureChanged) out.push(frame)
    }
  }

  /** Gives up the wholeness of the first frame: what matched goes out, the rest is awaited event by event. */
  private breakFirst(out: Array<Frame>): void {
    const first = this.pending[0]
    if (first === undefined || first.events.length === 0) return
    if (this.matched > 0) out.push(frameOf(first.events.slice(0, this.matched)))
    this.pending.splice(0, 1, ...first.events.slice(this.matched).map((event) => frameOf([event])))
    this.matched = 0
  }

  /** Drops events of the first frame that stand before `event` and did not come through. */
  private skipTo(event: LlmEvent, out: Array<Frame>): void {
    if (this.pending[0]?.events[this.matched] === event) return
    this.breakFirst(out)
    const at = this.pending.findIndex((frame) => frame.events[0] === event)
    if (at > 0) this.forget(at, out)
  }

  /** The first `count` pending frames were dropped by the filter, or are too many to remember. */
  private forget(count: number, out: Array<Frame>): void {
    if (count === 0) return
    const first = this.pending[0]!
    if (this.matched > 0) out.push(frameOf(first.events.slice(0, this.matched)))
    for (const [index, frame] of this.pending.splice(0, count).entries()) {
      const lost = index === 0 ? frame.events.slice(this.matched) : frame.events
      if (lost.some(isStructural)) this.structureChanged = true
    }
    this.matched = 0
  }
}

/** Applies a change of events to a stream of frames, so that frames whose events it leaves alone stay what they are. */
export const onEvents =
  (change: (self: EventStream) => EventStream) =>
  (self: Stream.Stream<Frame, LlmError>): Stream.Stream<Frame, LlmError> =>
    Stream.suspend(() => {
      const reframer = new Reframer()
      return self.pipe(
        Stream.chunks,
        Stream.map((frames) => reframer.remember(frames)),
        Stream.flattenIterable,
        change,
        Stream.chunks,
        Stream.map((events) => reframer.reframe(events)),
        Stream.concat(Stream.sync(() => reframer.halt())),
        Stream.flattenIterable
      )
    })
