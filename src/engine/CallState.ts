import { Cause, Effect, Schema } from "effect"
import { appendAll, type NonEmptyReadonlyArray } from "effect/Array"
import type { Reservation } from "../accounting/Admission.ts"
import type { Call, FinalRecord, Notice, Origin } from "../domain/Call.ts"
import { sumOfCosts } from "../domain/Cost.ts"
import { frameOf, type Frame } from "../domain/Frame.ts"
import { failure, LlmError } from "../domain/LlmError.ts"
import { blockEnd, type Finish, type LlmEvent } from "../domain/LlmEvent.ts"
import { ResponseFold } from "../domain/LlmResponse.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { failedWith, type Outcome } from "../domain/Outcome.ts"
import { addUsage, noUsage, type Usage } from "../domain/Usage.ts"
import type { Ending } from "../filters/Verdict.ts"
import type { Attempt } from "../routing/Attempt.ts"
import type { Asked } from "./Answer.ts"
import type { Passing } from "./Filtering.ts"
import { FilterNotes } from "./FilterNotes.ts"
import { maxHandOvers, outcomeOf, refusalOf, targetsAfter } from "./verdicts.ts"
import { cancellation, type CancelledBy } from "./cancellation.ts"

/** What becomes of a call's answer on the side of its caller; written by whoever sends it. */
export interface CallDelivery {
  /** handed to the transport so far */
  bytes: number
  /** whether the dialect's ending was among them */
  complete: boolean
  /** called when somebody cancels the call: whoever waits for the caller alone would not notice */
  onCancelled: ((error: LlmError) => void) | undefined
}

/** Of most texts a token has about as many, in UTF-16 code units. */
const charactersPerToken = 4

const isLlmError = Schema.is(LlmError)
const defect = failure({ _tag: "Internal" }, "Millrace failed to handle the call; its log says why")

/**
 * One open call: everything that its record will say, written as it happens. Mutable and synchronous, because it is
 * touched once per batch; nothing outside the engine sees it.
 */
export class CallState implements Passing {
  readonly id: string
  readonly call: Call
  readonly openedAt: number
  private readonly maxText: number
  private readonly fold = new ResponseFold()
  private readonly attempts: Array<Attempt> = []
  private readonly open = new Map<string, LlmEvent>()
  readonly notices: Array<Notice> = []
  readonly wants = "answer"
  private noted: FilterNotes | undefined
  /** the request as its filters left it, so far */
  request: LlmRequest
  /** the caller's own document, as it may go on */
  origin: Origin | undefined
  /** whether the audit trail was asked to open the call */
  opening = false
  private handedOver: Outcome | undefined
  handedTo: ReadonlyArray<string> = []
  /** what its admission reserved; a call without one never began */
  reservation: Reservation | undefined
  /** the audit trail did not take it: there is no such call */
  wasRefused = false
  /** whether its end was to be recorded before its caller has it */
  wasSealed = false
  /** the record of its end, where that was written before its caller had the end */
  sealed: FinalRecord | undefined
  private outcome: Outcome | undefined
  /** the attempts whose answers were begun to be told: a rescue that succeeds goes on with that of another */
  private answering: Array<Attempt> = []
  private endWait: ((error: LlmError) => void) | undefined
  private textSize = 0
  /** up to which size of text the answer is read whose caller left */
  private drainedUpTo = Infinity
  /** the audit trail has its opening */
  admitted = false
  /** the answer was cut by a limit: nothing more is taken */
  cut = false
  /** what ended an answer that has no ending of its own */
  spent: LlmError | undefined
  readonly delivery: CallDelivery = { bytes: 0, complete: false, onCancelled: undefined }

  constructor(id: string, call: Call, openedAt: number, maxText: number) {
    this.id = id
    this.call = call
    this.request = call.request
    this.origin = call.origin
    this.openedAt = openedAt
    this.maxText = maxText
  }

  /** Says how the call ends; the first cause counts. */
  settle(outcome: Outcome): void {
    this.outcome ??= outcome
  }

  /** Ends the call from outside, in whatever phase it is. */
  cancel(by: CancelledBy): void {
    this.settle({ _tag: "Cancelled", by })
    const error = cancellation(by)
    for (const attempt of this.attempts) attempt.abort(error)
    this.endWait?.(error)
    this.delivery.onCancelled?.(error)
  }

  /**
   * The caller left, and what is under way is read on for the record, up to so many tokens; no further attempt is made.
   * False where nothing is under way.
   */
  leave(maxTokens: number): boolean {
    if (this.answering.length === 0 && this.attempts.every((attempt) => attempt.isOver)) return false
    this.settle({ _tag: "Cancelled", by: "client" })
    this.endWait?.(cancellation("client"))
    this.drainedUpTo = this.textSize + maxTokens * charactersPerToken
    this.notice({ code: "drained", message: "The client left; the answer was read on for this record" })
    return true
  }

  /** The failure that stands for a call that was cancelled already, if it was. */
  get cancelled(): LlmError | undefined {
    return this.outcome?._tag === "Cancelled" ? cancellation(this.outcome.by) : undefined
  }

  /** A wait that ends as soon as the call is cancelled. */
  readonly whileOpen = <A>(wait: Effect.Effect<A>): Effect.Effect<A, LlmError> =>
    Effect.raceFirst(
      wait,
      Effect.callback<never, LlmError>((resume) => {
        this.endWait = (error) => resume(error)
        return Effect.sync(() => {
          this.endWait = undefined
        })
      })
    )

  readonly notice = (notice: Notice): void => {
    if (!this.notices.includes(notice)) this.notices.push(notice)
  }

  /** what filters have to say of the call; made for the first that a call has */
  get filterNotes(): FilterNotes {
    return (this.noted ??= new FilterNotes())
  }

  /** The attempt whose answer it is: with two at the same time it need not be the last that began. */
  answered(attempt: Attempt): void {
    this.answering.push(attempt)
  }

  get answeringAttempt(): Attempt | undefined {
    return this.answering.at(-1) ?? this.attempts.at(-1)
  }

  begin(attempt: Attempt): void {
    this.attempts.push(attempt)
  }

  get asked(): Asked {
    const { answeringAttempt, notices } = this
    const asked = { attempts: this.attempts.length, notices }
    return answeringAttempt === undefined ? asked : { ...asked, target: answeringAttempt.target }
  }

  get allAttempts(): ReadonlyArray<Attempt> {
    return this.attempts
  }

  /** Takes a batch into the record on its way to the caller; what crosses the limit of text is withheld. */
  take(batch: NonEmptyReadonlyArray<Frame>): NonEmptyReadonlyArray<Frame> {
    for (let index = 0; index < batch.length; index++) {
      const { events } = batch[index]!
      for (let at = 0; at < events.length; at++) {
        const event = events[at]!
        const limit = this.passedBy(event)
        if (limit !== undefined) {
          const before = [...batch.slice(0, index), frameOf(events.slice(0, at))]
          return appendAll(before, [this.limited(limit)])
        }
        this.add(event)
      }
    }
    if (this.textSize > this.drainedUpTo) this.cancel("client")
    return batch
  }

  private passedBy(event: LlmEvent): "bytes" | "tokens" | "cost" | undefined {
    if (event._tag !== "TextDelta" && event._tag !== "ToolInputDelta" && event._tag !== "ReasoningDelta")
      return undefined
    this.textSize += event.text.length
    if (this.textSize > this.maxText) return "bytes"
    return this.call.delivery === "stream" ? this.reservation?.exceeds?.(this.textSize) : undefined
  }

  /** Ends an answer at a limit: as one that was cut, or where the caller's money is used up, with that as its failure. */
  private limited(by: "bytes" | "tokens" | "cost"): Frame {
    if (by !== "cost") return this.close({ _tag: "Limited", by }, { reason: "length" })
    this.cutOff({ _tag: "Limited", by })
    this.spent = failure(
      { _tag: "QuotaExceeded" },
      "The answer was ended because its cost reached a limit of the caller"
    )
    return frameOf([])
  }

  private add(event: LlmEvent): void {
    this.fold.add(event)
    switch (event._tag) {
      case "TextDelta":
      case "ReasoningDelta":
      case "ToolInputDelta":
        return
      case "TextStart":
      case "ReasoningStart":
      case "ToolInputStart":
        this.open.set(event.id, event)
        return
      case "TextEnd":
      case "ReasoningEnd":
      case "ToolInputEnd":
        this.open.delete(event.id)
        return
      case "Finish":
        this.settle(this.handedOver ?? { _tag: "Completed", finish: event.reason, delivered: false })
    }
  }

  /** Nothing more is taken, so nobody is to write on. */
  private cutOff(outcome: Outcome): void {
    this.settle(outcome)
    this.cut = true
    for (const attempt of this.attempts) if (!attempt.complete) attempt.giveUp()
  }

  /** The ending of an answer that was cut: its blocks are closed, and it says why it says no more. */
  private close(outcome: Outcome, finish: Pick<Finish, "reason" | "stopSequence">, refusal?: string): Frame {
    this.cutOff(outcome)
    const events: Array<LlmEvent> = []
    for (const event of this.open.values()) {
      const end = blockEnd(event)
      if (end !== undefined) events.push(end)
    }
    if (refusal !== undefined) events.push({ _tag: "RefusalDelta", text: refusal })
    events.push({ _tag: "Finish", ...finish, usage: this.answeringAttempt?.usage ?? noUsage })
    for (const event of events) this.add(event)
    return frameOf(events)
  }

  /** The ending of an answer that a filter ends: nothing of it follows. */
  closeWith(ending: Ending): Frame {
    const { verdict } = ending
    const outcome = outcomeOf(ending)
    if (verdict._tag !== "Stop") {
      return this.close(outcome, { reason: "content-filter" }, verdict._tag === "Refuse" ? verdict.message : undefined)
    }
    const { stopSequence } = verdict
    return this.close(outcome, stopSequence === undefined ? { reason: "length" } : { reason: "stop", stopSequence })
  }

  /** Records a filter's verdict as the call's ending, and says what its caller is told where no answer has begun. */
  refused(ending: Ending): LlmError {
    this.settle(outcomeOf(ending))
    return refusalOf(ending)
  }

  /** Notes that a filter gives the call to another model; false where that was done too often already. */
  handOver(ending: Ending): boolean {
    this.handedOver = outcomeOf(ending)
    const error = failure({ _tag: "ContentBlocked" }, "A filter gave the call to another model")
    for (const attempt of this.attempts) attempt.abort(error)
    this.answering = []
    this.handedTo = targetsAfter(this.handedTo, ending)
    return this.handedTo.length <= maxHandOvers
  }

  /** The terminal record: whatever is known at `now`, epoch milliseconds. A call that nobody settled was left. */
  finalRecord(now: number): FinalRecord {
    const outcome: Outcome = this.outcome ?? { _tag: "Cancelled", by: "client" }
    const last = this.answeringAttempt
    // A rescue goes on with an answer that has begun before.
    const begun = this.attempts.find((attempt) => attempt.firstToken !== undefined) ?? last
    const since = (at: number | undefined) => (at === undefined ? undefined : at - this.openedAt)
    const firstByteMs = since(begun?.firstByte)
    const firstTokenMs = since(begun?.firstToken)
    const upstream = { bytes: 0, frames: 0, events: 0 }
    for (const attempt of this.attempts) {
      upstream.bytes += attempt.bytes
      upstream.frames += attempt.frames
      upstream.events += attempt.events
    }
    const cost = sumOfCosts(this.attempts.flatMap(({ cost }) => cost ?? []))
    return {
      id: this.id,
      outcome: outcome._tag === "Completed" ? { ...outcome, delivered: this.delivery.complete } : outcome,
      ...(last === undefined ? {} : { target: { provider: last.target.provider, model: last.target.model } }),
      usage: this.usage,
      ...(cost === undefined ? {} : { cost }),
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
      totalMs: now - this.openedAt,
      upstream,
      delivered: { bytes: this.delivery.bytes },
      attempts: this.attempts.map((attempt) => attempt.record()),
      ...(this.attempts.length > 1 ? { retries: this.attempts.length - 1 } : {}),
      ...(this.wasRateLimited(outcome) ? { rateLimited: true } : {}),
      notices: this.notices,
      ...(this.handedTo.length === 0 ? {} : { handedTo: this.handedTo }),
      ...this.noted?.record,
      response: this.fold.response()
    }
  }

  /** What the answer used: all of its parts, where one attempt went on with that of another. */
  private get usage(): Usage {
    if (this.answering.length === 0) return this.attempts.at(-1)?.usage ?? noUsage
    return this.answering.map(({ usage }) => usage).reduce(addUsage)
  }

  /** By an attempt, or because a target wants to be left alone after what it said to another call. */
  private wasRateLimited(outcome: Outcome): boolean {
    return (
      (outcome._tag === "Failed" && outcome.reason._tag === "RateLimited") ||
      this.attempts.some((attempt) => attempt.wasRateLimited)
    )
  }

  /** The call's scope broke: whatever no stage has told as the call's ending, a defect above all. */
  broke(cause: Cause.Cause<unknown>): void {
    const error = Cause.squash(cause)
    if (isLlmError(error)) this.settle(failedWith(error))
    else if (Cause.hasDies(cause)) this.settle(failedWith(defect))
  }

  /** Records a failure as the call's ending and passes it on. */
  readonly failed = (error: LlmError): LlmError => {
    this.settle(failedWith(error))
    return error
  }

  /** The record of a good end could not be written, so the caller does not get one. */
  readonly unsealed = (error: LlmError): LlmError => {
    if (this.outcome?._tag !== "Failed") this.outcome = failedWith(error)
    return error
  }

  /** The answer as far as it came. */
  response() {
    return this.fold.response()
  }
}
