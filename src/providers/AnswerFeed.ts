import { Exit, Result } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery } from "../domain/LlmRequest.ts"
import type { ErrorAnswer, Protocol } from "../protocols/Protocol.ts"
import type { Feed, FrameSink, UpstreamRequest } from "../routing/Upstream.ts"
import { makeSseDecoder } from "../wire/Sse.ts"
import { StreamDecoding } from "./frames.ts"
import type { AnswerListener, Exchange } from "./HttpTransport.ts"
import { asSomethingElse } from "./something-else.ts"
import { answerTooLarge, joinedText } from "./PulledAnswer.ts"
import { parseJson } from "./questions.ts"

/** Largest body of an answer that is read as a whole, in bytes. */
const maxWholeBody = 64 * 1024 * 1024
const maxErrorBody = 1024 * 1024

/** How an answer is read: before its head, and then by what it says it is. */
type Reading = "head" | "error" | Delivery | "either"

/**
 * Servers answer as they like: what counts is what the answer says it is, and only then what was asked for. A stream may
 * be said to be JSON, which the answer of a server that does not stream is too; and one of events may turn out to be a
 * document, above all one that tells a failure.
 */
const readingOf = (type: string, asked: Delivery, { frames }: Protocol): Exclude<Reading, "head" | "error"> => {
  const isStream = type.includes("event-stream") || type.includes("ndjson")
  if (!isStream && asked === "whole") return "whole"
  return frames === makeSseDecoder || (!isStream && type.includes("json")) ? "either" : "stream"
}

/**
 * Reads the answer to one request as its connection brings it, and puts the frames of it into a sink, with nothing in
 * between: every read is decoded where it arrives. A failure that the provider sends in a stream comes after everything
 * that stood before it.
 */
export class AnswerFeed implements AnswerListener, Feed {
  private readonly protocol: Protocol
  private readonly request: Pick<UpstreamRequest, "delivery" | "observer">
  private readonly sink: FrameSink
  exchange: Exchange | undefined
  private reading: Reading = "head"
  private decoding: StreamDecoding | undefined
  private answer: Omit<ErrorAnswer, "body"> = { status: 0, headers: {} }
  /** what is read as a whole, so far */
  private chunks: Array<Buffer> = []
  private size = 0
  private hasGiven = false
  private isOver = false

  constructor(protocol: Protocol, request: Pick<UpstreamRequest, "delivery" | "observer">, sink: FrameSink) {
    this.protocol = protocol
    this.request = request
    this.sink = sink
  }

  resume(): void {
    this.exchange?.resume()
  }

  stop(): void {
    this.isOver = true
    this.exchange?.abort()
  }

  connected(): void {
    this.request.observer.connected()
  }

  head(status: number, headers: ErrorAnswer["headers"]): void {
    this.answer = { status, headers }
    this.request.observer.head(status)
    this.reading =
      status >= 300 ? "error" : readingOf(headers["content-type"] ?? "", this.request.delivery, this.protocol)
  }

  data(chunk: Buffer): void {
    this.request.observer.bytes(chunk.length)
    this.guarded(() => this.read(chunk))
  }

  end(): void {
    this.guarded(() => this.complete())
  }

  failed(error: LlmError): void {
    this.conclude()
    this.finish(Exit.fail(error))
  }

  conclude(): void {
    this.guarded(() => {
      // The status is the message; a body that breaks off does not change it.
      if (this.reading === "error") return this.refused("")
      const frames = this.decoding?.conclude()
      if (frames === undefined) return
      this.give(frames)
      this.finish(Exit.void)
    })
  }

  private read(chunk: Buffer): void {
    switch (this.reading) {
      case "stream":
        return this.decode(chunk)
      case "either":
        return this.decide(chunk)
      default:
        return this.keep(chunk, this.reading === "error" ? maxErrorBody : maxWholeBody)
    }
  }

  /** Tells a document from a stream of events by how it begins; white space says nothing. */
  private decide(chunk: Buffer): void {
    const [first] = /\S/.exec(chunk.toString("latin1")) ?? []
    if (first === undefined) return
    this.reading = first === "{" || first === "[" ? "whole" : "stream"
    this.read(chunk)
  }

  private keep(chunk: Buffer, limit: number): void {
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.size <= limit) return
    if (this.reading === "error") this.refused("")
    else this.finish(Exit.fail(answerTooLarge(limit)))
  }

  private decode(chunk: Buffer): void {
    const decoding = (this.decoding ??= new StreamDecoding(this.protocol))
    this.give(decoding.feed(chunk))
    if (decoding.failure !== undefined) this.finish(Exit.fail(decoding.failure))
  }

  private complete(): void {
    if (this.reading === "error") return this.refused(joinedText(this.chunks))
    if (this.reading === "whole") return this.decodeWhole(joinedText(this.chunks))
    const decoding = (this.decoding ??= new StreamDecoding(this.protocol))
    this.give(decoding.end())
    this.finish(decoding.failure === undefined ? Exit.void : Exit.fail(decoding.failure))
  }

  /** A whole answer: one frame, and then the end. */
  private decodeWhole(raw: string): void {
    const body = parseJson(raw)
    const events: Array<LlmEvent> = []
    const error = Result.isSuccess(body) ? this.protocol.decodeWhole(body.success, events) : body.failure
    if (error !== undefined) return this.finish(Exit.fail(error))
    this.give([{ protocol: this.protocol.speaks ?? this.protocol.id, delivery: "whole", raw, events }])
    this.finish(Exit.void)
  }

  private refused(body: string): void {
    this.finish(Exit.fail(this.protocol.decodeError({ ...this.answer, body })))
  }

  private give(frames: ReadonlyArray<Frame>): void {
    if (!isReadonlyArrayNonEmpty(frames)) return
    this.hasGiven = true
    if (!this.sink.accept(frames)) this.exchange?.pause()
  }

  private finish(exit: Exit.Exit<void, LlmError>): void {
    if (this.isOver) return
    this.stop()
    this.sink.end(this.hasGiven ? exit : Exit.mapError(exit, (error) => asSomethingElse(error, this.answer.headers)))
  }

  /** Whoever calls here is the parser of a connection, which an exception must not reach: a defect is told as one. */
  private guarded(step: () => void): void {
    if (this.isOver) return
    try {
      step()
    } catch (defect) {
      this.finish(Exit.die(defect))
    }
  }
}
