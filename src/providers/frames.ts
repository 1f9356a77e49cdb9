import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { Cause, Effect, Pull, Stream } from "effect"
import type { Frame } from "../domain/Frame.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Protocol } from "../protocols/Protocol.ts"
import type { FramingError, WireFrame } from "../wire/Frame.ts"

const framingFailure = (error: FramingError): LlmError =>
  error._tag === "FrameTooLarge"
    ? failure(
        { _tag: "InvalidOutput", kind: "frameTooLarge" },
        `The provider sent a frame of more than ${error.limit} bytes`
      )
    : failure(
        { _tag: "InvalidOutput", kind: "malformedFrame" },
        `The provider sent a frame that cannot be read: its ${error.problem} is wrong`
      )

/** Bytes of one stream to frames: the protocol's framing and decoder, and where they are. */
export class StreamDecoding {
  private readonly protocol: Protocol
  private readonly framing
  private readonly decoder
  private readonly wire: Array<WireFrame> = []
  /** set once, after which nothing more is decoded */
  failure: LlmError | undefined
  /** the answer is complete: `Finish` was decoded */
  private finished = false
  ended = false

  constructor(protocol: Protocol) {
    this.protocol = protocol
    this.framing = protocol.frames()
    this.decoder = protocol.decoder()
  }

  /** Decodes one read. */
  feed(chunk: Uint8Array): ReadonlyArray<Frame> {
    const frames: Array<Frame> = []
    const error = this.framing.feed(chunk, this.wire)
    this.decode(frames)
    if (error !== undefined) this.failure ??= framingFailure(error)
    return frames
  }

  /** The transport ended: what is left in the framing, and what the protocol still owes. */
  end(): ReadonlyArray<Frame> {
    const frames: Array<Frame> = []
    this.ended = true
    const error = this.framing.end(this.wire)
    this.decode(frames)
    if (error !== undefined) this.failure ??= framingFailure(error)
    if (this.failure === undefined && !this.finished) {
      const events: Array<LlmEvent> = []
      this.failure = this.decoder.halt(events)
      if (events.length > 0) this.push(frames, "", events)
    }
    return frames
  }

  /** What is still owed of an answer that has said how it ends, and lacks the end of its transport; else undefined. */
  conclude(): ReadonlyArray<Frame> | undefined {
    if (this.ended || this.failure !== undefined) return undefined
    const events: Array<LlmEvent> = []
    if (this.decoder.halt(events) !== undefined) return undefined
    this.ended = true
    const frames: Array<Frame> = []
    if (events.length > 0) this.push(frames, "", events)
    return frames
  }

  private decode(frames: Array<Frame>): void {
    for (const frame of this.wire) {
      const events: Array<LlmEvent> = []
      this.failure = this.decoder.step(frame, events)
      // The text of a frame that says a failure is sent with the failure.
      if (this.decoder.isLate === true) this.push(frames, undefined, events)
      else if (this.failure === undefined) this.push(frames, frame.raw, events)
      else if (events.length > 0) this.push(frames, "", events)
      if (this.failure !== undefined) break
    }
    this.wire.length = 0
  }

  private push(frames: Array<Frame>, raw: Frame["raw"], events: ReadonlyArray<LlmEvent>): void {
    if (events.at(-1)?._tag === "Finish") this.finished = true
    frames.push({ protocol: this.protocol.speaks ?? this.protocol.id, delivery: "stream", raw, events })
  }
}

/**
 * Decodes the bytes of a stream into frames, a batch of frames for a batch of reads. A failure that the provider sends in
 * the stream comes after everything that stood before it.
 */
export const decodeFrames =
  (protocol: Protocol) =>
  (body: Stream.Stream<Uint8Array, LlmError>): Stream.Stream<Frame, LlmError> =>
    Stream.transformPull(body, (pull) =>
      Effect.sync(() => {
        const decoding = new StreamDecoding(protocol)
        const read = Pull.catchDone(pull, () => Effect.void)
        const next: Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError> = Effect.suspend(() => {
          if (decoding.failure !== undefined) return decoding.failure
          if (decoding.ended) return Cause.done()
          return Effect.flatMap(read, (chunks) => {
            const frames = chunks === undefined ? decoding.end() : decodeAll(decoding, chunks)
            return isReadonlyArrayNonEmpty(frames) ? Effect.succeed(frames) : next
          })
        })
        return next
      })
    )

const decodeAll = (decoding: StreamDecoding, chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  for (const chunk of chunks) {
    frames.push(...decoding.feed(chunk))
    if (decoding.failure !== undefined) break
  }
  return frames
}
