import { Cause, Effect, type Pull } from "effect"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { frameOf, type Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmRequest, Message } from "../domain/LlmRequest.ts"
import type { Committed } from "./Attempt.ts"
import type { Attempts, AttemptsFor, RescueFrom } from "./Attempts.ts"
import { neededBy } from "./Capabilities.ts"
import { ContinuationMatch, RestartMatch } from "./RescueMatch.ts"
import { Sent, Splice } from "./RescueSplice.ts"
import type { Target } from "./Router.ts"
import { startingWith } from "./startingWith.ts"

/**
 * What is done about an answer that breaks off after its beginning was sent: nothing, another target is asked to go on
 * with it, one is asked from the beginning and held to what was sent, or the first of the two that is possible.
 */
export type RescueMode = "off" | "continue" | "restart" | "auto"

type FramePull = Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError>

/** How an answer is gone on with: what is asked of which targets. */
interface RescueWay {
  readonly by: "continue" | "restart"
  readonly request: LlmRequest
  readonly targets: ReadonlyArray<Target>
}

/** What a rescue needs of the call that it is made for. */
type RescueFor = Pick<AttemptsFor, "answered" | "cancelled" | "notice">

/** An answer that has begun: who gives it, and the frames of it. */
export interface Begun {
  readonly target: Target
  readonly frames: FramePull
}

/** Asks until there is content; what comes after it is gone on with as the plan has it, should it break off. */
export const begin = (call: RescueFor, attempts: Attempts, request: LlmRequest): Effect.Effect<Begun, LlmError> =>
  Effect.map(attempts.next(request), (committed) => ({
    target: committed.attempt.target,
    frames: rescued(call, attempts, request, committed)
  }))

/**
 * The frames of an answer that has begun. Where it breaks off it is gone on with, once; where that cannot be done without
 * leaving out, repeating or inventing something, its own failure is the failure of the pull.
 */
const rescued = (call: RescueFor, attempts: Attempts, request: LlmRequest, committed: Committed): FramePull => {
  const { held, rest } = committed
  const { rescue: mode = "auto", targets } = attempts.plan
  const isComplete = held.at(-1)?.events.at(-1)?._tag === "Finish"
  if (mode === "off" || isComplete) return startingWith(held, rest)
  const sent = new Sent()
  const handOn = (batch: NonEmptyReadonlyArray<Frame>) => {
    sent.add(batch)
    return Effect.succeed(batch)
  }
  const brokeOff = (error: LlmError): FramePull => {
    return goOn(rescueWays(mode, sent, request, targets, committed.attempt.target, error), error)
  }
  /** By the first way that gives an answer; a later one only while attempts are left. */
  const goOn = ([way, ...others]: ReadonlyArray<RescueWay>, error: LlmError): FramePull => {
    if (way === undefined || call.cancelled !== undefined) return call.cancelled ?? error
    return Effect.matchEffect(attempts.next(way.request, rescueFrom(way, sent, others.length > 0)), {
      onSuccess: (second): FramePull => {
        current = joined(call, sent, way, committed, second, error)
        return current
      },
      onFailure: () => goOn(attempts.left() > 0 ? others : [], error)
    })
  }
  const first: FramePull = Effect.matchEffect(rest, {
    onSuccess: handOn,
    onFailure: (error) => (Cause.isDone(error) ? Cause.done() : brokeOff(error))
  })
  let current: FramePull = Effect.suspend(() => {
    current = first
    return handOn(held)
  })
  return Effect.suspend(() => current)
}

const rescueFrom = ({ by, targets }: RescueWay, sent: Sent, once: boolean): RescueFrom => ({
  among: (target) => targets.some((other) => isSame(other, target)),
  once,
  mark: { by, at: sent.text.length }
})

/** The second answer from where the first one broke off. Until it gets there, whatever fails is the first one's failure. */
const joined = (
  call: RescueFor,
  sent: Sent,
  { by }: RescueWay,
  first: Committed,
  second: Committed,
  error: LlmError
): FramePull => {
  const at = sent.text.length
  const { attempt } = second
  const match = by === "continue" ? new ContinuationMatch(sent.text) : new RestartMatch(sent.text)
  const splice = new Splice(sent, match, by === "restart" && sent.texts === 1)
  const what = `the answer of ${nameOf(first.attempt.target)} that broke off after ${at} characters`
  const next: FramePull = Effect.matchEffect(startingWith(second.held, second.rest), {
    onSuccess: (batch): FramePull => {
      const wasJoined = splice.joined
      const events = splice.take(batch)
      if (events === undefined) {
        attempt.giveUp()
        call.notice({ code: "not-rescued", message: `${nameOf(attempt.target)} gave another answer than ${what}` })
        return error
      }
      if (!wasJoined && splice.joined) {
        call.answered(attempt)
        call.notice({ code: "rescued", message: `${nameOf(attempt.target)} went on with ${what} (${by})` })
      }
      return isReadonlyArrayNonEmpty(events) ? Effect.succeed([frameOf(events)]) : next
    },
    onFailure: (end): FramePull => (Cause.isDone(end) ? Cause.done() : splice.joined ? end : (call.cancelled ?? error))
  })
  return next
}

const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`

const isSame = (one: Target, other: Target): boolean => one.provider === other.provider && one.model === other.model

/** How an answer can be gone on with after a failure, the best way first; decided by the reason and by what was sent. */
const rescueWays = (
  mode: RescueMode,
  sent: Sent,
  request: LlmRequest,
  targets: ReadonlyArray<Target>,
  failed: Target,
  error: LlmError
): ReadonlyArray<RescueWay> => {
  // Anything else is an answer in itself, or would be the same everywhere.
  const brokeOff = error.class === "transient" || error.class === "busy"
  if (mode === "off" || !brokeOff || sent.final || (request.sampling.choices ?? 1) > 1) return []
  const others = targets.filter((target) => !isSame(target, failed))
  const ways: Array<RescueWay> = []
  if (mode !== "restart" && isContinuable(sent, request)) {
    const able = continuing(others, mode)
    const asked = able.length > 0 ? able : continuing([failed], mode)
    if (asked.length > 0) ways.push({ by: "continue", request: continued(request, sent.text), targets: asked })
  }
  if (mode === "continue") return ways
  const able = others.length > 0 ? others : isDeterministic(request) ? [failed] : []
  // Who has just failed to go on is asked anew only where there is nobody else.
  const unasked = able.filter((target) => !ways.some(({ targets }) => targets.includes(target)))
  const asked = unasked.length > 0 ? unasked : able
  if (asked.length > 0) ways.push({ by: "restart", request, targets: asked })
  return ways
}

const isDeterministic = ({ sampling }: LlmRequest): boolean => sampling.temperature === 0 || sampling.seed !== undefined

/** A model that thinks first, or is held to a form, takes no beginning of its answer from others. */
const isContinuable = (sent: Sent, request: LlmRequest): boolean => {
  if (sent.reasoned || sent.text.trim() === "") return false
  const needed = neededBy(request)
  return !needed.has("reasoning") && !needed.has("json")
}

/** Whoever asks for continuations by name knows their models; of themselves they are made only where they are known to work. */
const continuing = (targets: ReadonlyArray<Target>, mode: RescueMode): ReadonlyArray<Target> =>
  targets.filter(({ model, upstream, continues = upstream.continues?.(model) }) => continues ?? mode === "continue")

/** Of most texts a token has fewer, so that what is left of a limit is not taken for less than it is. */
const charactersPerToken = 6

/** The request with the answer so far as its last turn, which the model is to go on with, within what is left of its limit. */
const continued = (request: LlmRequest, text: string): LlmRequest => {
  const { messages, sampling } = request
  const given = text.trimEnd()
  const last = messages.at(-1)
  const part = last?.role === "assistant" ? last.parts.at(-1) : undefined
  const turn: Message =
    last !== undefined && part?._tag === "Text"
      ? { ...last, parts: [...last.parts.slice(0, -1), { ...part, text: part.text + given }] }
      : { role: "assistant", parts: [{ _tag: "Text", text: given }] }
  const before = part?._tag === "Text" ? messages.slice(0, -1) : messages
  const limit = sampling.maxOutputTokens
  const left =
    limit === undefined ? {} : { maxOutputTokens: Math.max(1, limit - Math.ceil(text.length / charactersPerToken)) }
  return { ...request, messages: [...before, turn], sampling: { ...sampling, ...left } }
}
