import { Clock, Effect, Exit, Scope, Stream } from "effect"
import type { Notice } from "../../src/domain/Call.ts"
import type { Frame } from "../../src/domain/Frame.ts"
import type { LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Delivery } from "../../src/domain/LlmRequest.ts"
import { Attempt, type AttemptRequest, type Committed } from "../../src/routing/Attempt.ts"
import { start } from "../../src/routing/startAttempt.ts"
import { defaultTimeouts, type Timeouts } from "../../src/routing/Timeouts.ts"
import { Watchdog } from "../../src/routing/Watchdog.ts"
import type { Upstream, UpstreamRequest } from "../../src/routing/Upstream.ts"
import { scriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import type { Script } from "../../src/testing/Script.ts"

export interface Running {
  readonly attempt: Attempt
  /** goes up to the commit point */
  readonly begin: Effect.Effect<Committed, LlmError>
  /** what a call does with an attempt that it no longer wants */
  readonly giveUp: Effect.Effect<void>
  readonly notices: ReadonlyArray<Notice>
}

export interface Options {
  readonly timeouts?: Partial<Timeouts>
  readonly delivery?: Delivery
  /** when the call began, epoch milliseconds; the attempt's own beginning unless given */
  readonly calledAt?: number
}

/** An attempt that was not begun yet, in a scope of its own. */
export const attemptOf = (upstream: Upstream["Service"], options: Options = {}): Effect.Effect<Running> =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const notices: Array<Notice> = []
    const request: AttemptRequest = {
      request: { model: "model", messages: [], sampling: {} },
      delivery: options.delivery ?? "stream",
      dialect: undefined,
      origin: undefined,
      timeouts: { ...defaultTimeouts, ...options.timeouts },
      calledAt: options.calledAt ?? clock.currentTimeMillisUnsafe(),
      waitedMs: 0,
      notice: (notice) => notices.push(notice)
    }
    const scope = yield* Scope.make()
    const watchdog = yield* Scope.provide(Watchdog.make, yield* Scope.make())
    const attempt = new Attempt({ provider: "tested", model: "model", upstream }, request, watchdog)
    return { attempt, begin: start(attempt, request, scope), giveUp: Scope.close(scope, Exit.void), notices }
  })

/** An attempt of a script, and how the script ended. */
export const scriptedAttempt = (script: Script, options: Options = {}) =>
  Effect.gen(function* () {
    const { upstream, endings } = scriptedUpstream([script])
    return { ...(yield* attemptOf(upstream, options)), ending: Effect.map(endings, (all) => all[0]) }
  })

/** An upstream in the hands of a test, which sees everything that an attempt is told. */
export const upstreamOf = (
  stream: (request: UpstreamRequest) => Stream.Stream<Frame, LlmError>
): Upstream["Service"] => ({ stream: (request) => Stream.suspend(() => stream(request)) })

/** Every frame of an attempt that has content, from the beginning. */
export const framesOf = ({ held, rest }: Committed): Stream.Stream<Frame, LlmError> =>
  Stream.concat(Stream.fromIterable(held), Stream.fromPull(Effect.succeed(rest)))

export const eventsOf = (committed: Committed): Effect.Effect<ReadonlyArray<LlmEvent>, LlmError> =>
  Effect.map(Stream.runCollect(framesOf(committed)), (frames) => frames.flatMap(({ events }) => events))

export const tags = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<string> => events.map(({ _tag }) => _tag)
