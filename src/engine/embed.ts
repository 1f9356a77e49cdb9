import { Cause, Clock, Deferred, Effect, Exit, Random, type Scope } from "effect"
import { Admission, type Candidate } from "../accounting/Admission.ts"
import { costOf } from "../accounting/Cost.ts"
import { type PriceBook, Prices } from "../accounting/PriceBook.ts"
import { estimateTextTokens } from "../accounting/TokenEstimate.ts"
import { AuditTrail } from "../audit/AuditTrail.ts"
import type { Call, FinalRecord } from "../domain/Call.ts"
import type { EmbeddingAnswer, EmbeddingInput, EmbeddingRequest } from "../domain/Embedding.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import { noUsage, plausibleUsage, type Usage } from "../domain/Usage.ts"
import { failover } from "../routing/Failover.ts"
import { nameProvider } from "../routing/nameProvider.ts"
import { Router, type RoutePlan, type Target } from "../routing/Router.ts"
import { TargetStates } from "../routing/TargetStates.ts"
import { shortened, watch, type Activity, type Timeouts } from "../routing/Timeouts.ts"
import { type Ending, isEnding } from "../filters/Verdict.ts"
import type { Asked } from "./Answer.ts"
import { newCallId } from "./CallId.ts"
import { cancellation } from "./cancellation.ts"
import { type EmbeddingTrace, finalRecord, openRecord } from "./embeddingRecord.ts"
import { Engine } from "./Engine.ts"
import { asItWent, filterEmbedding, unansweredOf } from "./filterEmbedding.ts"
import { outcomeOf as outcomeOfVerdict, refusalOf } from "./verdicts.ts"
import { reserve, reserveAnew } from "./reserve.ts"
import type { Seal } from "./sealing.ts"

/** A request for vectors, with everything around it. `timeoutMs` bounds the whole call, in milliseconds. */
export interface EmbeddingCall extends Omit<Call, "request" | "delivery"> {
  readonly request: EmbeddingRequest
}

/** The vectors, and who gave them. */
export interface Embedded {
  readonly target: Pick<Target, "provider" | "model">
  readonly attempts: number
  readonly answer: EmbeddingAnswer
}

/** A call for vectors that was admitted and is in the audit trail. It ends when the scope it was opened in closes. */
export interface OpenEmbedding {
  readonly id: string
  /** what is left of the caller's limits */
  readonly limits: ReadonlyArray<LimitState>
  /** who was asked last, and how many were */
  readonly asked: () => Asked
  /** Run once. */
  readonly embedded: Effect.Effect<Embedded, LlmError, Scope.Scope>
  /** for whoever sends the answer: bytes handed to the transport, and whether that was all of it */
  readonly delivery: { bytes: number; complete: boolean }
  /** There where the end of an answer waits for its record. */
  readonly seal: Seal | undefined
}

/**
 * Opens a call for vectors in the current scope: recorded like any other, without the vectors. Its targets are asked
 * like those of any other call; vectors of different models cannot be compared, so its targets should be of one model.
 */
export const openEmbedding = Effect.fnUntraced(function* (
  call: EmbeddingCall
): Effect.fn.Return<OpenEmbedding, LlmError, Engine | AuditTrail | Router | Scope.Scope> {
  const engine = yield* Engine
  const audit = yield* AuditTrail
  const router = yield* Router
  const plan = yield* router.plan(call.request.model)
  const admission = yield* Admission
  const prices = yield* Prices
  const id = yield* newCallId
  const openedAt = yield* Clock.currentTimeMillis
  const passing = unansweredOf(id, call)
  const trace: EmbeddingTrace = {
    passing,
    attempts: [],
    delivery: { bytes: 0, complete: false },
    reservation: undefined,
    opening: false,
    opened: false,
    embedded: undefined,
    error: undefined,
    refused: undefined,
    cancelledBy: undefined
  }
  const cancelled = yield* Deferred.make<never, LlmError>()
  const open = Effect.suspend(() => {
    trace.opening = true
    // Interrupted, it counts as opened.
    return Effect.onExit(audit.open(openRecord(id, asItWent(call, passing), openedAt, passing)), (exit) =>
      Effect.sync(() => {
        trace.opened = Exit.isSuccess(exit) || Exit.hasInterrupts(exit)
      })
    )
  })
  yield* Effect.addFinalizer((exit) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const finalize = Effect.suspend(() => {
        const record = finalRecord(id, trace, exit, openedAt, now)
        trace.reservation?.settle(trace.opened ? record : undefined)
        return trace.opened ? audit.finalize(record) : Effect.void
      })
      // A call that ends while its filters look at the request has its record all the same.
      return trace.reservation === undefined || trace.opening ? finalize : Effect.andThen(Effect.ignore(open), finalize)
    })
  )
  yield* reserve(admission, trace, candidate(call, plan, openedAt))
  yield* engine.attend(id, {
    call,
    cancel: (by) => {
      trace.cancelledBy ??= by
      Deferred.doneUnsafe(cancelled, Effect.fail(cancellation(by)))
    }
  })
  // Before the call is recorded: what filters hide stands in no record.
  const passed = yield* Effect.exit(filterEmbedding(engine, passing, call.request, plan))
  const chosen = passing.request.model
  if (Exit.isSuccess(passed) && chosen !== call.request.model) {
    yield* reserveAnew(admission, trace, { ...candidate(call, passed.value, openedAt), chosen })
  }
  yield* open
  const asking = Exit.isSuccess(passed)
    ? askTargets(asItWent(call, passing), passed.value, openedAt, trace, prices)
    : Effect.mapError(Effect.failCause(passed.cause), (error) => refusalIn(error, trace))
  const embedded = Effect.raceFirst(asking, Deferred.await(cancelled)).pipe(
    Effect.tap((found) => Effect.sync(() => (trace.embedded = found))),
    Effect.tapError((error) => Effect.sync(() => (trace.error = error)))
  )
  return {
    id,
    limits: trace.reservation?.states?.(openedAt) ?? [],
    embedded,
    delivery: trace.delivery,
    seal: sealOf(
      audit,
      () => Effect.map(Clock.currentTimeMillis, (now) => finalRecord(id, trace, Exit.void, openedAt, now)),
      trace
    ),
    asked: () => {
      const target = trace.attempts.at(-1)
      return { attempts: trace.attempts.length, notices: [], ...(target === undefined ? {} : { target }) }
    }
  }
})

/** Vectors are sent at once, and nothing but their end is told of a failure: there is nothing to record ahead of that. */
const sealOf = (
  { seal }: AuditTrail["Service"],
  record: () => Effect.Effect<FinalRecord>,
  trace: EmbeddingTrace
): Seal | undefined =>
  seal === undefined
    ? undefined
    : () =>
        Effect.flatMap(record(), seal).pipe(
          Effect.tapError((error) =>
            Effect.sync(() => {
              trace.embedded = undefined
              trace.error = error
            })
          )
        )

/** What the caller is told of a filter's verdict, which is the call's ending; any other failure as it is. */
const refusalIn = (error: LlmError | Ending, trace: EmbeddingTrace): LlmError => {
  if (!isEnding(error)) return error
  trace.refused = outcomeOfVerdict(error)
  return refusalOf(error)
}

const askTargets = Effect.fnUntraced(function* (
  call: EmbeddingCall,
  plan: RoutePlan,
  openedAt: number,
  trace: EmbeddingTrace,
  prices: PriceBook
): Effect.fn.Return<Embedded, LlmError, Scope.Scope> {
  const timeouts = shortened(plan.timeouts, call.timeoutMs)
  const random = yield* Random.Random
  return yield* failover({
    plan,
    states: yield* TargetStates.shared,
    clock: yield* Clock.Clock,
    random: () => random.nextDoubleUnsafe(),
    session: undefined,
    deadline: timeouts.total === 0 ? Infinity : openedAt + timeouts.total,
    needed: () => new Set(),
    cancelled: () => undefined,
    whileOpen: (wait) => wait,
    ask: (target, waitedMs, release) =>
      ask(
        call,
        target,
        shortened(target.timeouts ?? plan.timeouts, call.timeoutMs),
        openedAt,
        waitedMs,
        trace,
        prices
      ).pipe(
        Effect.map((answer) => ({ target, attempts: trace.attempts.length, answer })),
        Effect.ensuring(Effect.sync(() => release()))
      ),
    discard: () => Effect.void
  })
})

const ask = Effect.fnUntraced(function* (
  { request, origin }: EmbeddingCall,
  { provider, model, key, upstream }: Target,
  timeouts: Timeouts,
  openedAt: number,
  waitedMs: number,
  trace: EmbeddingTrace,
  prices: PriceBook
): Effect.fn.Return<EmbeddingAnswer, LlmError> {
  const startedAt = yield* Clock.currentTimeMillis
  const activity: Activity = {
    startedAt,
    calledAt: openedAt,
    connected: false,
    answered: false,
    committed: false,
    lastAt: startedAt,
    held: () => false
  }
  let status: number | undefined
  const observer = {
    connected: () => void (activity.connected = true),
    head: (answered: number) => {
      activity.answered = true
      status = answered
    }
  }
  const asked = upstream.embed?.({ request, model, origin, observer }) ?? noVectors(provider)
  return yield* asked.pipe(
    Effect.flatMap((answer) => Effect.map(usageOf(answer, request.input), (usage) => ({ ...answer, usage }))),
    Effect.raceFirst(Effect.flip(watch(timeouts, activity, false))),
    Effect.mapError((error) => nameProvider(error, provider)),
    Effect.onExit((exit) =>
      Effect.zipWith(Clock.currentTimeMillis, usedBy(exit, request.input, activity, status), (now, usage) => {
        const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : undefined
        const served = Exit.isSuccess(exit) ? exit.value.model : undefined
        const requested = trace.passing.call.request.model
        const cost = costOf(prices, { provider, served, upstream: model, requested }, usage)
        trace.attempts.push({
          provider,
          model,
          ...(key === undefined ? {} : { key }),
          startedAt,
          waitedMs,
          endedMs: now - startedAt,
          ...(status === undefined ? {} : { status }),
          ...(error?._tag === "Some" ? { failure: { reason: error.value.reason, message: error.value.message } } : {}),
          ...(Exit.hasInterrupts(exit) ? { abandoned: true as const } : {}),
          usage,
          ...(cost === undefined ? {} : { cost })
        })
      })
    )
  )
})

/** What an attempt used: one that was taken, and given up before it was answered, has its input estimated. */
const usedBy = (
  exit: Exit.Exit<EmbeddingAnswer, LlmError>,
  input: EmbeddingInput,
  { connected }: Activity,
  status: number | undefined
): Effect.Effect<Usage> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(exit.value.usage)
  const wasTaken = status === undefined ? connected : status < 400
  return wasTaken && wasGivenUp(exit.cause) ? estimated(input) : Effect.succeed(noUsage)
}

const wasGivenUp = (cause: Cause.Cause<LlmError>): boolean =>
  Cause.hasInterrupts(cause) ||
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error.reason._tag === "Timeout")

const noVectors = (provider: string): Effect.Effect<never, LlmError> =>
  failure(
    { _tag: "Unsupported", feature: "embeddings" },
    `Millrace cannot ask the provider ${provider} for embeddings: its API has none, or none that is known here`
  )

/** What the provider counted, else an estimate. */
const usageOf = ({ usage: stated }: EmbeddingAnswer, input: EmbeddingInput): Effect.Effect<Usage> => {
  const usage = plausibleUsage(stated)
  return usage.inputTokens === undefined ? estimated(input) : Effect.succeed(usage)
}

const estimated = (input: EmbeddingInput): Effect.Effect<Usage> => {
  const tokens =
    input._tag === "Texts"
      ? estimateTextTokens(input.texts.join("\n"))
      : Effect.succeed(input.sequences.reduce((sum, sequence) => sum + sequence.length, 0))
  return Effect.map(tokens, (inputTokens) => ({ inputTokens, source: "estimated" }))
}

const candidate = ({ caller, request }: EmbeddingCall, { targets }: RoutePlan, at: number): Candidate => {
  const { input, model } = request
  const inputLength =
    input._tag === "Texts"
      ? input.texts.reduce((sum, text) => sum + text.length, 0)
      : input.sequences.reduce((sum, sequence) => sum + sequence.length * lengthOfToken, 0)
  return { caller, model, at, targets, request: { inputLength } }
}

const lengthOfToken = 4
