/**
 * What becomes of a call, for every failure in every phase of an answer: found by making calls whose targets fail so.
 */
import { Effect, Fiber, Layer, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { failure, type FailureReason, statusOf } from "../../src/domain/LlmError.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { Router, type RoutePlan, type Target } from "../../src/routing/Router.ts"
import { TargetStates } from "../../src/routing/TargetStates.ts"
import { defaultTimeouts } from "../../src/routing/Timeouts.ts"
import { Upstream } from "../../src/routing/Upstream.ts"
import { emit, fail, finish, play, started, text, type Script, type Step } from "../../src/testing/Script.ts"

/** Every reason for which a provider can fail. */
export const reasons: ReadonlyArray<readonly [name: string, reason: FailureReason]> = [
  ["RateLimited", { _tag: "RateLimited" }],
  ["Overloaded", { _tag: "Overloaded" }],
  ["UpstreamServer", { _tag: "UpstreamServer" }],
  ["Transport", { _tag: "Transport" }],
  ["InvalidOutput", { _tag: "InvalidOutput", kind: "malformedFrame" }],
  ["IncompleteStream", { _tag: "IncompleteStream", kind: "noStop" }],
  ["Timeout: connect", { _tag: "Timeout", phase: "connect" }],
  ["Timeout: firstToken", { _tag: "Timeout", phase: "firstToken" }],
  ["Timeout: idle", { _tag: "Timeout", phase: "idle" }],
  ["Timeout: total", { _tag: "Timeout", phase: "total" }],
  ["Unauthorized", { _tag: "Unauthorized" }],
  ["PermissionDenied", { _tag: "PermissionDenied" }],
  ["QuotaExceeded", { _tag: "QuotaExceeded" }],
  ["UnknownModel", { _tag: "UnknownModel", model: "m", near: [] }],
  ["ContextTooLong", { _tag: "ContextTooLong" }],
  ["Unsupported", { _tag: "Unsupported", feature: "tools" }],
  ["InvalidRequest", { _tag: "InvalidRequest", kind: "semantic" }],
  ["ContentBlocked", { _tag: "ContentBlocked" }],
  ["Internal", { _tag: "Internal" }]
]

const piece = emit({ _tag: "TextStart", id: "text" }, { _tag: "TextDelta", id: "text", text: "one " })
const toolCall = emit({ _tag: "ToolInputStart", id: "1", name: "look" }, { _tag: "ToolInputDelta", id: "1", text: "{" })

/** What comes before the failure; `head` where the provider's head came, though nothing of its answer. */
const phases = {
  "before the head": { head: false, steps: [] },
  "after the head": { head: true, steps: [] },
  "before the first content": { head: true, steps: [started()] },
  "after content": { head: true, steps: [started(), piece] },
  "in a tool call": { head: true, steps: [started(), toolCall] }
} satisfies { readonly [phase: string]: { readonly head: boolean; readonly steps: ReadonlyArray<Step> } }
export type Phase = keyof typeof phases
export const allPhases = Object.keys(phases) as ReadonlyArray<Phase> // of a literal

/** Who may answer: the target that fails, another one beside it, or one that has failed too often before. */
export const situations = ["one target", "two targets", "circuit open"] as const
export type Situation = (typeof situations)[number]

const target = (provider: string, head: boolean, script: Script): Target => ({
  provider,
  model: "m",
  upstream: Upstream.fromEvents(({ observer }) =>
    Stream.suspend(() => {
      if (head) observer.head(200)
      return play(script)
    })
  )
})

const well: Script = [started(), text(["one ", "two"]), finish()]

const call = callOf(prompt("model", "hello"))

const attempts = (count: number): string => (count === 1 ? "" : `, ${count} attempts`)

/** Makes one call and says what its caller sees of it. */
const answered = Effect.gen(function* () {
  const opened = yield* (yield* Engine).open(call)
  const begun = yield* Effect.result(opened.answer)
  if (Result.isFailure(begun)) return `${statusOf(begun.failure)}${attempts(opened.asked().attempts)}`
  const ending = yield* Effect.result(Stream.runCollect(begun.success.frames))
  if (Result.isFailure(ending)) {
    // A caller is told of the failure that broke the answer off, whatever a rescue came to.
    return `told in the stream${attempts(opened.asked().attempts)}`
  }
  const events = ending.success.flatMap((frame) => frame.events)
  const said = events.flatMap((event) => (event._tag === "TextDelta" ? [event.text] : [])).join("")
  const isRescued = begun.success.notices.some(({ code }) => code === "rescued")
  if (said !== "one two") return `answered with ${JSON.stringify(said)}`
  return `answered${isRescued ? ", rescued" : ""}${attempts(opened.asked().attempts)}`
})

/** What becomes of a call in one cell of the table. */
export const cellOf = (reason: FailureReason, phase: Phase, situation: Situation): Effect.Effect<string> => {
  const { head, steps } = phases[phase]
  const failing = target("a", head, [...steps, fail(failure(reason, "it failed"))])
  const plan: RoutePlan = {
    targets: situation === "two targets" ? [failing, target("b", true, well)] : [failing],
    timeouts: defaultTimeouts
  }
  const router = Layer.succeed(Router, { plan: () => Effect.succeed(plan), models: Effect.succeed([]) })
  const services = Layer.provideMerge(
    Engine.layer,
    Layer.mergeAll(router, TargetStates.layerMemory, AuditTrail.layerMemory({ durability: "strict" }))
  )
  return Effect.gen(function* () {
    if (situation === "circuit open") (yield* TargetStates).of(failing).circuit.openUntil = 3_600_000
    const fiber = yield* Effect.forkChild(Effect.scoped(answered))
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(services), Effect.provide(TestClock.layer()), Effect.orDie)
}
