import { Effect, Layer } from "effect"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { failure, type FailureReason, type LlmError } from "../../src/domain/LlmError.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { defaultPolicy, type Policy } from "../../src/routing/Policy.ts"
import { Router, type RoutePlan, type Target } from "../../src/routing/Router.ts"
import { TargetStates } from "../../src/routing/TargetStates.ts"
import { defaultTimeouts, type Timeouts } from "../../src/routing/Timeouts.ts"
import { fail, finish, text, type Script } from "../../src/testing/Script.ts"
import { scriptedUpstream, type ScriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"

export const call = callOf(prompt("model", "hello"))

/** An answer of one word, by which it is known who gave it. */
export const says = (word: string): Script => [text(word), finish()]

/** A failure before anything came. */
export const fails = (reason: FailureReason, more: { readonly retryAfterMs?: number } = {}): Script => [
  fail(errorOf(reason, more))
]

export const errorOf = (reason: FailureReason, more: { readonly retryAfterMs?: number } = {}): LlmError =>
  failure(reason, `it says ${reason._tag}`, more)

export const reasons = {
  rateLimited: { _tag: "RateLimited" },
  overloaded: { _tag: "Overloaded" },
  server: { _tag: "UpstreamServer" },
  reset: { _tag: "Transport" },
  empty: { _tag: "IncompleteStream", kind: "empty" },
  garbage: { _tag: "InvalidOutput", kind: "malformedFrame" },
  unauthorized: { _tag: "Unauthorized" },
  forbidden: { _tag: "PermissionDenied" },
  quota: { _tag: "QuotaExceeded" },
  unknownModel: { _tag: "UnknownModel", model: "x", near: [] },
  tooLong: { _tag: "ContextTooLong" },
  unsupported: { _tag: "Unsupported", feature: "tools" },
  invalid: { _tag: "InvalidRequest", kind: "semantic" },
  blocked: { _tag: "ContentBlocked" }
} as const satisfies { readonly [name: string]: FailureReason }

/** A scripted target and what was asked of it. */
export interface Place {
  readonly target: Target
  readonly scripted: ScriptedUpstream["Service"]
}

/** A target `name/m` that plays these scripts, one for every request. */
export const place = (
  name: string,
  scripts: ReadonlyArray<Script>,
  more: Partial<Omit<Target, "provider" | "upstream">> = {}
): Place => {
  const scripted = scriptedUpstream(scripts)
  return { target: { provider: name, model: "m", upstream: scripted.upstream, ...more }, scripted }
}

export interface RouteOptions {
  readonly policy?: Partial<Policy>
  readonly timeouts?: Partial<Timeouts>
}

/** An engine all of whose calls go to these targets. */
export const engineOver = (places: ReadonlyArray<Place>, { policy, timeouts }: RouteOptions = {}) => {
  const [first, ...others] = places.map(({ target }) => target)
  if (first === undefined) throw new Error("a plan has a target")
  const plan: RoutePlan = {
    targets: [first, ...others],
    timeouts: { ...defaultTimeouts, ...timeouts },
    policy: { ...defaultPolicy, ...policy }
  }
  const router = Layer.succeed(Router, { plan: () => Effect.succeed(plan), models: Effect.succeed([]) })
  return Engine.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(router, TargetStates.layerMemory, AuditTrail.layerMemory({ durability: "strict" }))
    )
  )
}

/** What the records say of the calls so far, the first one first. */
export const records = Effect.gen(function* () {
  const audit = yield* AuditTrail
  const { data } = yield* audit.list({ limit: 100 })
  return data.toReversed()
})

/** `a` for the target `a/m`, `a:reason` where it failed, with the wait before it where there was one. */
export const course = Effect.map(records, (all) =>
  (all.at(-1)?.attempts ?? []).map(({ provider, key, failure, waitedMs }) =>
    [
      `${provider}${key === undefined ? "" : `(${key})`}${failure === undefined ? "" : `:${failure.reason._tag}`}`,
      ...(waitedMs === 0 ? [] : [`after ${waitedMs}`])
    ].join(" ")
  )
)
