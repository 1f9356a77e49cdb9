import { Cause, Effect, Exit, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { AnswerListener, Exchange, HttpAnswer, HttpRequest } from "./HttpTransport.ts"

/** What is read ahead of whoever consumes the body, in bytes; beyond it the provider's socket is no longer read. */
const maxBuffered = 64 * 1024

const done = Exit.fail(Cause.Done())

/** The failure of an answer that is larger than may be read as a whole. */
export const answerTooLarge = (limit: number): LlmError =>
  failure({ _tag: "InvalidOutput", kind: "frameTooLarge" }, `The provider's answer is larger than ${limit} bytes`)

type Resume<A> = (effect: Effect.Effect<A, LlmError | Cause.Done>) => void

/** An answer for a fiber that pulls what came since, in one batch. The callbacks only store and wake. */
export class PulledAnswer implements AnswerListener, HttpAnswer {
  private readonly request: HttpRequest
  exchange: Exchange | undefined
  status = 0
  headers: HttpAnswer["headers"] = {}
  private answer: Exit.Exit<HttpAnswer, LlmError> | undefined
  private waitingForHead: ((effect: Effect.Effect<HttpAnswer, LlmError>) => void) | undefined
  private buffered: Array<Buffer> = []
  private size = 0
  private isOver: Exit.Exit<never, LlmError | Cause.Done> | undefined
  private broken: Exit.Exit<never, LlmError> | undefined
  private waitingForBody: Resume<NonEmptyReadonlyArray<Buffer>> | undefined
  /** set where the body is read as a whole: then nobody is woken before its end, or before it is too large */
  private waitingForText: ((effect: Effect.Effect<string, LlmError>) => void) | undefined
  private textLimit = 0

  constructor(request: HttpRequest) {
    this.request = request
  }

  readonly begun = Effect.callback<HttpAnswer, LlmError>((resume) => {
    if (this.answer !== undefined) return resume(this.answer)
    this.waitingForHead = resume
  })

  readonly pull: HttpAnswer["pull"] = Effect.callback((resume) => {
    if (this.buffered.length > 0) return resume(this.takeBuffered())
    if (this.isOver !== undefined) return resume(this.isOver)
    this.waitingForBody = resume
    return Effect.sync(() => {
      this.waitingForBody = undefined
    })
  })

  get body(): HttpAnswer["body"] {
    return Stream.fromPull(Effect.succeed(this.pull))
  }

  text(limit: number): Effect.Effect<string, LlmError> {
    return Effect.callback((resume) => {
      this.textLimit = limit
      this.waitingForText = resume
      this.exchange?.resume()
      this.wakeText()
    })
  }

  readonly givenUp = Effect.sync(() => this.exchange?.abort())

  connected(): void {
    this.request.onConnected()
  }

  head(status: number, headers: HttpAnswer["headers"]): void {
    this.status = status
    this.headers = headers
    this.answer = Exit.succeed(this)
    this.waitingForHead?.(this.answer)
  }

  data(chunk: Buffer): void {
    this.buffered.push(chunk)
    this.size += chunk.length
    this.request.onBytes?.(chunk.length)
    if (this.waitingForText !== undefined) return this.wakeText()
    this.wakeBody()
    if (this.size > maxBuffered) this.exchange?.pause()
  }

  end(): void {
    this.isOver = done
    this.wake()
  }

  failed(error: LlmError): void {
    const failed = Exit.fail(error)
    this.isOver = failed
    this.broken = failed
    if (this.answer === undefined) {
      this.answer = failed
      this.waitingForHead?.(failed)
    }
    this.wake()
  }

  private wake(): void {
    if (this.waitingForText !== undefined) this.wakeText()
    else this.wakeBody()
  }

  private takeBuffered(): Exit.Exit<NonEmptyReadonlyArray<Buffer>> {
    // Only called with something buffered.
    const chunks = this.buffered as unknown as NonEmptyReadonlyArray<Buffer>
    this.buffered = []
    this.size = 0
    this.exchange?.resume()
    return Exit.succeed(chunks)
  }

  /** Hands the body over once it is complete, too large, or broken off. */
  private wakeText(): void {
    const resume = this.waitingForText
    const tooLarge = this.size > this.textLimit
    if (resume === undefined || (this.isOver === undefined && !tooLarge)) return
    this.waitingForText = undefined
    if (tooLarge) return resume(answerTooLarge(this.textLimit))
    if (this.broken !== undefined) return resume(this.broken)
    const whole = joinedText(this.buffered)
    this.buffered = []
    this.size = 0
    resume(Exit.succeed(whole))
  }

  private wakeBody(): void {
    const resume = this.waitingForBody
    if (resume === undefined) return
    this.waitingForBody = undefined
    resume(this.buffered.length > 0 ? this.takeBuffered() : this.isOver!)
  }
}

/** The text of a body that came in pieces. */
export const joinedText = (chunks: ReadonlyArray<Buffer>): string => {
  const [only] = chunks
  return (chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)).toString("utf8")
}
