import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { failure, LlmError } from "../domain/LlmError.ts"
import type { Kept } from "./Affinity.ts"
import { afterHint, backoff } from "./Backoff.ts"
import { type Feature, lacking } from "./Capabilities.ts"
import { inOrder } from "./Balance.ts"
import { type LeftUntil, nextStep } from "./NextStep.ts"
import { defaultPolicy, type Policy } from "./Policy.ts"
import type { RoutePlan, Target } from "./Router.ts"
import type { TargetState, TargetStates } from "./TargetStates.ts"

/** A target that may be asked, by one of its keys: `state` is that of the key, `whole` that of the target with all keys. */
export interface Candidate extends Kept {
  readonly target: Target
}

/** What a call does next. */
export type Move =
  | { readonly _tag: "Ask"; readonly candidate: Candidate }
  /**
   * All that may be asked have as many calls as they take. The call is in line `since` then, and stays there `until` then
   * at the most, when somebody else may be asked; epoch milliseconds.
   */
  | {
      readonly _tag: "Queue"
      readonly candidates: NonEmptyReadonlyArray<Candidate>
      readonly since: number
      readonly until: number
    }
  | { readonly _tag: "Wait"; readonly millis: number }
  | { readonly _tag: "End"; readonly error: LlmError }

/** What the course of a call depends on. `random` gives numbers from 0 to 1, `deadline` is epoch milliseconds. */
export interface CourseFor {
  readonly plan: RoutePlan
  readonly states: TargetStates["Service"]
  readonly random: () => number
  readonly deadline: number
  /** calls of the same session prefer the same target */
  readonly session: string | undefined
  /** what the request needs that a target may lack; asked only where targets declare what they can do */
  readonly needed: () => ReadonlySet<Feature>
  /** where it goes on with an answer that broke off */
  readonly resumed?: Resumed
}

/**
 * How targets are asked to go on with an answer that broke off: which of the plan's, how often in all, and whether each
 * of them only once, and at once. Who was silent is never asked again for it.
 */
export interface Resumed {
  readonly among: (target: Target) => boolean
  readonly attempts: number
  readonly once: boolean
}

/**
 * Which target a call asks next, decided from what it has tried and from what is known of the targets. Mutable and
 * synchronous: it is looked at once per attempt, and makes its lists when something has failed.
 */
export class Course {
  readonly policy: Policy
  private readonly work: CourseFor
  private readonly maxAttempts: number
  private order: ReadonlyArray<Target> | undefined
  private left: Map<Target, LeftUntil> | undefined
  private askedAgain: Set<Target> | undefined
  private turned: Map<Target, ReadonlyArray<Target>> | undefined
  private kept: Kept | undefined
  private again: Target | undefined
  private notBefore = 0
  private queuedSince: number | undefined
  private waits = 0
  private attempts = 0
  private failed: LlmError | undefined
  private refused: LlmError | undefined
  private over = false

  constructor(work: CourseFor) {
    this.work = work
    this.policy = work.plan.policy ?? defaultPolicy
    this.maxAttempts = work.resumed?.attempts ?? this.policy.retry.maxAttempts
  }

  /** What to do at `now`, epoch milliseconds. */
  next(now: number): Move {
    if (this.over || this.attempts >= this.maxAttempts) return this.end()
    for (;;) {
      const move = this.look(now)
      if (move !== undefined) return move
      if (this.again !== undefined) this.giveUpAgain()
      else if (!this.beginRound(now)) return this.end(this.resting(now))
    }
  }

  /** A target that may be asked at once beside one that is being asked. */
  beside(candidate: Candidate, now: number): Candidate | undefined {
    if (this.attempts >= this.maxAttempts) return undefined
    const move = this.look(now, candidate.whole)
    return move?._tag === "Ask" ? move.candidate : undefined
  }

  /** An attempt begins. */
  asked({ target, state, whole }: Candidate): void {
    this.attempts++
    state.attempts++
    if (state !== whole) whole.attempts++
    if (this.again === undefined) return
    ;(this.askedAgain ??= new Set()).add(this.baseOf(target))
    this.again = undefined
  }

  /** Of those at which there is a place now, after a wait for it, the first that may still be asked. */
  readyAt(line: TargetState["slots"], candidates: ReadonlyArray<Candidate>, now: number): Candidate | undefined {
    return candidates.find(
      ({ state, whole }) => whole.slots === line && state.restUntil <= now && !this.isOpen(state, now)
    )
  }

  /** An attempt failed. */
  fail({ target }: Candidate, error: LlmError, now: number): void {
    this.failed = error
    this.queuedSince = undefined
    const { retry, fallbackOn = [] } = this.policy
    const hint = error.retryAfterMs ?? 0
    const base = this.baseOf(target)
    const { resumed } = this.work
    const step = nextStep(error, {
      attempts: this.maxAttempts - this.attempts,
      again: resumed?.once !== true && hint <= retry.maxDelay && this.askedAgain?.has(base) !== true,
      fallbackOn
    })
    switch (step._tag) {
      case "End":
        this.over = true
        return
      case "Again":
        this.again = base
        this.notBefore = now + this.backoff()
        return
      case "Another":
        const forGood = resumed !== undefined && (resumed.once || step.until === "others")
        this.leave(step.leave === "key" ? target : base, forGood ? "call" : step.until)
        if (error.reason._tag === "ContextTooLong") this.leaveSmaller(base)
    }
  }

  /** Nobody was let in: at least for this call these are out of reach. */
  refuse(candidates: ReadonlyArray<Candidate>, error: LlmError): void {
    this.refused = error
    for (const { target } of candidates) this.leave(target, "call")
  }

  /** The first that may be asked now, or what there is to wait for. */
  private look(now: number, besides?: TargetState): Move | undefined {
    const once = this.work.resumed?.once === true
    const patience = once ? 0 : this.policy.retry.maxDelay
    const full: Array<Candidate> = []
    let soonest = Infinity
    let isHinted = false
    for (const base of this.again === undefined ? this.inOrder(now) : [this.again]) {
      if (this.left?.has(base) === true || !this.isAble(base)) continue
      const whole = this.wholeOf(base)
      if (whole === besides) continue
      for (const target of this.inTurn(base, whole)) {
        if (target !== base && this.left?.has(target) === true) continue
        const state = target.key === undefined ? whole : this.work.states.of(target)
        if (this.isOpen(state, now)) continue
        const at = Math.max(state.restUntil, this.notBefore)
        if (at > now) {
          if (at < soonest) isHinted = at === state.restUntil
          soonest = Math.min(soonest, at)
        } else if (target.limits !== undefined && whole.slots.count >= target.limits.concurrency) {
          full.push({ target, state, whole })
        } else return { _tag: "Ask", candidate: { target, state, whole } }
      }
    }
    if (isReadonlyArrayNonEmpty(full) && !once) {
      const until = soonest - now > patience ? Infinity : soonest
      return { _tag: "Queue", candidates: full, since: (this.queuedSince ??= now), until }
    }
    if (soonest - now > patience) return undefined
    if (soonest >= this.work.deadline) return this.end(this.resting(now))
    const millis = soonest - now
    if (!isHinted) return { _tag: "Wait", millis }
    // Who may just wait as long as was said is not to be late because of the lot.
    return {
      _tag: "Wait",
      millis: Math.max(millis, Math.min(this.work.deadline - 1 - now, afterHint(millis, this.work.random())))
    }
  }

  private isOpen({ circuit, name }: TargetState, now: number): boolean {
    if (circuit.openUntil <= now || this.policy.breaker.failures === 0) return false
    this.refused ??= failure({ _tag: "NoRoute" }, `${name} failed too often of late and is left alone for a while`, {
      retryAfterMs: Math.ceil(circuit.openUntil - now)
    })
    return true
  }

  private isAble({ capabilities, provider, model }: Target): boolean {
    if (capabilities?.features === undefined) return true
    const lacks = lacking(capabilities, this.work.needed())
    if (lacks === undefined) return true
    this.refused ??= failure({ _tag: "Unsupported", feature: lacks }, `${provider}/${model} is not made for ${lacks}`)
    return false
  }

  private inOrder(now: number): ReadonlyArray<Target> {
    if (this.order !== undefined) return this.order
    const { plan, states, random, resumed, session } = this.work
    const targets = resumed === undefined ? plan.targets : plan.targets.filter(resumed.among)
    const load = (target: Target) => {
      const { slots, latency } = this.wholeOf(target)
      return { weight: target.weight ?? 1, inFlight: slots.count, latency: latency.read(now) }
    }
    const ordered = inOrder(this.policy.strategy, targets, load, random)
    this.kept = session === undefined ? undefined : states.affinity.keptBy(session, now)
    const { kept } = this
    return (this.order = kept === undefined ? ordered : withFirst(ordered, (base) => this.wholeOf(base) === kept.whole))
  }

  private wholeOf({ provider, model, unlisted = false }: Target): TargetState {
    return this.work.states.of({ provider, model, unlisted })
  }

  /** The keys of a target: another one first in every call, that of the session if it has one. */
  private inTurn(base: Target, whole: TargetState): ReadonlyArray<Target> {
    const { keys } = base
    if (keys === undefined) return [base]
    const known = this.turned?.get(base)
    if (known !== undefined) return known
    const from = whole.nextTurn(keys.length)
    const turned = [...keys.slice(from), ...keys.slice(0, from)]
    const { kept } = this
    const ordered = kept === undefined ? turned : withFirst(turned, (key) => this.work.states.of(key) === kept.state)
    ;(this.turned ??= new Map()).set(base, ordered)
    return ordered
  }

  private baseOf(target: Target): Target {
    return target.key === undefined
      ? target
      : (this.work.plan.targets.find(({ keys }) => keys?.includes(target) === true) ?? target)
  }

  private leave(target: Target, until: LeftUntil): void {
    ;(this.left ??= new Map()).set(target, until)
  }

  /** What was too long for one context is too long for every smaller one. */
  private leaveSmaller({ capabilities }: Target): void {
    const size = capabilities?.contextWindow
    if (size === undefined) return
    for (const target of this.work.plan.targets) {
      if ((target.capabilities?.contextWindow ?? Infinity) <= size) this.leave(target, "call")
    }
  }

  private giveUpAgain(): void {
    if (this.again !== undefined) this.leave(this.again, "round")
    this.again = undefined
    this.notBefore = 0
  }

  /** Everybody was asked: back off and go round. Who was silent is asked again only where nobody else is left. */
  private beginRound(now: number): boolean {
    const { left } = this
    if (left === undefined) return false
    const marks = Array.from(left)
    const until = (["round", "others"] as const).find((mark) => marks.some(([, until]) => until === mark))
    if (until === undefined) return false
    for (const [target, mark] of marks) if (mark === until) left.delete(target)
    this.askedAgain?.clear()
    this.notBefore = now + this.backoff()
    return true
  }

  private backoff(): number {
    return backoff(this.policy.retry, this.waits++, this.work.random())
  }

  /** What the target said that can be asked the soonest of those that want to be left alone for longer than a call waits. */
  private resting(now: number): LlmError | undefined {
    const { plan, states, resumed } = this.work
    let soonest: TargetState | undefined
    for (const base of plan.targets) {
      if (resumed?.among(base) === false) continue
      for (const target of base.keys ?? [base]) {
        const state = states.of(target)
        if (this.left?.get(target) === "call" || this.left?.get(base) === "call" || state.restUntil <= now) continue
        if (soonest === undefined || state.restUntil < soonest.restUntil) soonest = state
      }
    }
    if (soonest?.said === undefined) return undefined
    const { reason, message, fault } = soonest.said
    const retryAfterMs = Math.ceil(soonest.restUntil - now)
    return new LlmError({ reason, message, retryAfterMs, ...(fault === undefined ? {} : { fault }) })
  }

  private end(resting?: LlmError): Move {
    const error = resting ?? this.failed ?? this.refused ?? failure({ _tag: "NoRoute" }, "No target can take the call")
    return { _tag: "End", error }
  }
}

const withFirst = <A>(all: ReadonlyArray<A>, isFirst: (one: A) => boolean): ReadonlyArray<A> => {
  const first = all.filter(isFirst)
  return first.length === 0 ? all : [...first, ...all.filter((one) => !isFirst(one))]
}
