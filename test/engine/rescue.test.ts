import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Stream } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import { TestClock } from "effect/testing"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../../src/domain/LlmRequest.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"
import { defaultPolicy, defaultRetry } from "../../src/routing/Policy.ts"
import type { RescueMode } from "../../src/routing/Rescue.ts"
import { Router, type RoutePlan } from "../../src/routing/Router.ts"
import { defaultTimeouts } from "../../src/routing/Timeouts.ts"
import {
  emit,
  fail,
  finish,
  hang,
  reasoning,
  started,
  text,
  toolCall,
  wait,
  type Script
} from "../../src/testing/Script.ts"
import { scriptedUpstream } from "../../src/testing/ScriptedUpstream.ts"
import { grammarFaults } from "../protocols/grammar.ts"

const reset = failure({ _tag: "Transport" }, "The connection broke")
const refused = failure({ _tag: "InvalidRequest", kind: "semantic" }, "This model does not support prefill")
const request = prompt("model", "hello")

/** What targets do, one after the other; `continues` says whether they, or each of them, take the beginning of an answer. */
interface Setting {
  readonly targets: ReadonlyArray<ReadonlyArray<Script>>
  readonly request?: LlmRequest
  readonly rescue?: RescueMode
  readonly continues?: boolean | ReadonlyArray<boolean>
  readonly maxAttempts?: number
  readonly delivery?: Delivery
  readonly more?: Partial<RoutePlan>
  /** after how long the caller leaves, in milliseconds */
  readonly leaves?: number
}

/** Makes one call to targets `p0`, `p1`, …, and tells what became of it. */
const play = ({ targets, rescue, continues, maxAttempts, leaves, ...more }: Setting) => {
  const upstreams = targets.map(scriptedUpstream)
  const all = upstreams.map(({ upstream }, index) => ({
    provider: `p${index}`,
    model: "m",
    upstream,
    ...(continues === undefined ? {} : { continues: typeof continues === "boolean" ? continues : continues[index]! })
  }))
  assert.isTrue(isReadonlyArrayNonEmpty(all))
  const plan = {
    targets: all as [(typeof all)[0]],
    timeouts: defaultTimeouts,
    ...(rescue === undefined ? {} : { rescue }),
    ...(maxAttempts === undefined ? {} : { policy: { ...defaultPolicy, retry: { ...defaultRetry, maxAttempts } } }),
    ...more.more
  }
  const router = Layer.succeed(Router, { plan: () => Effect.succeed(plan), models: Effect.succeed([]) })
  const engine = Engine.layer.pipe(
    Layer.provide(router),
    Layer.provideMerge(AuditTrail.layerMemory({ durability: "strict" }))
  )
  return Effect.gen(function* () {
    const { stream } = yield* Engine
    const events: Array<LlmEvent> = []
    const running = yield* Effect.forkChild(
      Stream.runForEach(stream(callOf(more.request ?? request, more.delivery)), (event) =>
        Effect.sync(() => void events.push(event))
      )
    )
    // First a moment, in which the call is recorded: who jumps over the limit of that wait ends it there.
    yield* TestClock.adjust("1 second")
    if (leaves !== undefined) {
      yield* TestClock.adjust(leaves)
      yield* Fiber.interrupt(running)
    }
    yield* TestClock.adjust("20 minutes")
    const exit = yield* Fiber.await(running)
    const error = Exit.isFailure(exit) ? exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error : undefined
    const { data } = yield* (yield* AuditTrail).list({ limit: 10 })
    assert.deepStrictEqual(grammarFaults(events, { complete: Exit.isSuccess(exit) }), [])
    const asked = yield* Effect.forEach(upstreams, ({ requests }) => requests)
    const endings = yield* Effect.forEach(upstreams, (upstream) => upstream.endings)
    return { events, error, record: data[0]!, asked, endings }
  }).pipe(Effect.provide(engine))
}

const said = (events: ReadonlyArray<LlmEvent>) =>
  events.map((event) => (event._tag === "TextDelta" ? event.text : "")).join("")

const broken = (...pieces: ReadonlyArray<string>): Script => [
  started("first"),
  emit({ _tag: "TextStart", id: "t" }, ...pieces.map((text) => ({ _tag: "TextDelta" as const, id: "t", text }))),
  fail(reset)
]
const whole: Script = [started("second"), text(["The mill", " turns"], "t"), finish()]

const expectRescued = ({ events, error, record }: Effect.Success<ReturnType<typeof play>>) => {
  assert.isUndefined(error)
  assert.strictEqual(said(events), "The mill turns")
  assert.deepInclude(record.outcome, { kind: "Completed" })
  assert.strictEqual(record.response?.text, "The mill turns")
}

const expectFailed = (
  { events, error, record }: Effect.Success<ReturnType<typeof play>>,
  text: string,
  expected: LlmError = reset
) => {
  assert.strictEqual(said(events), text)
  assert.deepStrictEqual(error, expected)
  assert.deepInclude(record.outcome, { kind: "Failed", reason: expected.reason._tag })
}

describe("a restart", () => {
  it.effect("goes on with what the next target says after what was sent", () =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [[broken("The", " mi")], [whole]] })
      expectRescued(seen)
      assert.deepStrictEqual(seen.asked[1]?.[0]?.request, request)
      assert.deepStrictEqual(
        seen.record.notices.map(({ code }) => code),
        ["rescued"]
      )
      assert.deepStrictEqual(seen.record.attempts[1]?.rescue, { by: "restart", at: 6 })
      assert.deepStrictEqual(seen.record.attempts[0]?.failure?.reason, { _tag: "Transport" })
      assert.deepStrictEqual(seen.record.target, { provider: "p1", model: "m" })
    })
  )

  it.effect("takes over from a target that says nothing more", () =>
    Effect.gen(function* () {
      const silent = [...broken("The mill").slice(0, -1), hang]
      const seen = yield* play({ targets: [[silent], [whole]] })
      expectRescued(seen)
      assert.deepStrictEqual(seen.record.attempts[0]?.failure?.reason, { _tag: "Timeout", phase: "idle" })
      assert.deepStrictEqual(seen.endings[0], ["abandoned"])
    })
  )

  it.effect("lets a target go at the first difference, and fails as the first one did", () =>
    Effect.gen(function* () {
      const other = [started(), text(["The ", "wheel"]), wait("1 minute"), text("more", "more"), finish()]
      const seen = yield* play({ targets: [[broken("The mill")], [other]] })
      expectFailed(seen, "The mill")
      assert.deepStrictEqual(seen.endings[1], ["abandoned"])
      assert.deepStrictEqual(
        seen.record.notices.map(({ code }) => code),
        ["not-rescued"]
      )
      assert.deepStrictEqual(seen.record.target, { provider: "p0", model: "m" }, "who gave what was sent")
      assert.deepStrictEqual(seen.record.usage, seen.record.attempts[0]?.usage)
    })
  )

  it.effect.each([
    ["ends before what was sent", [started(), text("The"), finish()]],
    ["calls a tool instead", [started(), toolCall("c", "look", {}), finish("tool-calls")]],
    ["refuses", [started(), emit({ _tag: "RefusalDelta", text: "No." }), finish("refusal")]],
    ["breaks off before it got as far", [started(), text("The"), fail(failure({ _tag: "UpstreamServer" }, "again"))]],
    ["cannot be asked", [fail(failure({ _tag: "Unauthorized" }, "wrong key"))]]
  ] as ReadonlyArray<[string, Script]>)("fails as the first target did where the second one %s", ([, second]) =>
    Effect.gen(function* () {
      expectFailed(yield* play({ targets: [[broken("The mill")], [second]] }), "The mill")
    })
  )

  it.effect("asks the only target again where it says the same every time", () =>
    Effect.gen(function* () {
      for (const sampling of [{ temperature: 0 }, { seed: 7 }]) {
        expectRescued(yield* play({ targets: [[broken("The mill"), whole]], request: { ...request, sampling } }))
      }
      const undetermined = { ...request, sampling: { temperature: 0.7 } }
      expectFailed(yield* play({ targets: [[broken("The mill"), whole]], request: undetermined }), "The mill")
    })
  )

  it.effect("is made once", () =>
    Effect.gen(function* () {
      const again = failure({ _tag: "UpstreamServer" }, "broke as well")
      const second = [started(), text("The mill tu"), fail(again)]
      expectFailed(yield* play({ targets: [[broken("The mill")], [second], [whole]] }), "The mill tu", again)
    })
  )

  it.effect("brings the tool calls that come after the text", () =>
    Effect.gen(function* () {
      const second = [started(), text("The mill"), toolCall("t", "look", { at: "it" }), finish("tool-calls")]
      const { events, error } = yield* play({ targets: [[broken("The mi")], [second]] })
      assert.isUndefined(error)
      assert.strictEqual(said(events), "The mill")
      assert.deepInclude(
        events.find(({ _tag }) => _tag === "ToolCall"),
        { name: "look", arguments: '{"at":"it"}' }
      )
    })
  )

  it.effect("does not compare thoughts, nor send them twice", () =>
    Effect.gen(function* () {
      const thinking = [started(), reasoning("One thought"), ...broken("The mill").slice(1)]
      const second = [started(), reasoning("Another"), ...whole.slice(1)]
      const seen = yield* play({ targets: [[thinking], [second]] })
      expectRescued(seen)
      assert.strictEqual(seen.record.response?.reasoning, "One thought")
      const inThought: Script = [
        started(),
        emit({ _tag: "ReasoningStart", id: "r" }, { _tag: "ReasoningDelta", id: "r", text: "One th" }),
        fail(reset)
      ]
      const cut = yield* play({ targets: [[inThought], [second]] })
      expectRescued(cut)
      assert.strictEqual(cut.record.response?.reasoning, "One th")
      const end = cut.events.find(({ _tag }) => _tag === "ReasoningEnd")
      assert.notProperty(end, "signature", "the proof of the second thought is none of the first")
    })
  )

  it.effect("counts what both attempts used", () =>
    Effect.gen(function* () {
      const first = [
        started(),
        emit({ _tag: "UsageReported", usage: { inputTokens: 5, source: "provider" } }),
        ...broken("The mill").slice(1)
      ]
      const second = [started(), text("The mill turns"), finish("stop", { inputTokens: 5, outputTokens: 3 })]
      const { record } = yield* play({ targets: [[first], [second]] })
      assert.deepInclude(record.usage, { inputTokens: 10, outputTokens: 5, source: "estimated" })
      assert.deepInclude(record.attempts[0]?.usage, { inputTokens: 5, outputTokens: 2, source: "estimated" })
      assert.deepInclude(record.attempts[1]?.usage, { inputTokens: 5, outputTokens: 3, source: "provider" })
    })
  )
})

describe("a continuation", () => {
  const rest: Script = [started(), text(["", " turns"], "t"), finish()]

  it.effect("asks a target that declares it to go on with the answer so far", () =>
    Effect.gen(function* () {
      const limited = { ...request, sampling: { maxOutputTokens: 100 } }
      const seen = yield* play({ targets: [[broken("The mill")], [rest]], continues: true, request: limited })
      expectRescued(seen)
      const [asked] = seen.asked[1]!
      assert.deepStrictEqual(asked?.request.messages, [
        ...request.messages,
        { role: "assistant", parts: [{ _tag: "Text", text: "The mill" }] }
      ])
      assert.isUndefined(asked?.origin)
      assert.isBelow(asked?.request.sampling.maxOutputTokens ?? 0, 100)
      assert.deepStrictEqual(seen.record.attempts[1]?.rescue, { by: "continue", at: 8 })
    })
  )

  it.effect("goes on with a beginning that the caller gave", () =>
    Effect.gen(function* () {
      const messages = [
        ...request.messages,
        { role: "assistant" as const, parts: [{ _tag: "Text" as const, text: "Ah! " }] }
      ]
      const seen = yield* play({
        targets: [[broken("The mill ")], [rest]],
        continues: true,
        request: { ...request, messages }
      })
      expectRescued(seen)
      assert.deepStrictEqual(seen.asked[1]?.[0]?.request.messages.at(-1)?.parts, [
        { _tag: "Text", text: "Ah! The mill" }
      ])
    })
  )

  it.effect("leaves out what is said again", () =>
    Effect.gen(function* () {
      expectRescued(yield* play({ targets: [[broken("The mill ", "tu")], [whole]], continues: true }))
    })
  )

  it.effect("fails as the first target did where the second one refuses the beginning", () =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [[broken("The mill")], [[fail(refused)]]], continues: true })
      expectFailed(seen, "The mill")
      assert.deepStrictEqual(seen.record.attempts[1]?.failure?.reason, refused.reason)
    })
  )

  it.effect("is asked of the same target where no other can", () =>
    Effect.gen(function* () {
      expectRescued(yield* play({ targets: [[broken("The mill"), rest]], continues: true }))
    })
  )

  it.effect("is not asked of models that think, or that are held to a form", () =>
    Effect.gen(function* () {
      for (const more of [{ reasoning: { effort: "low" } }, { responseFormat: { _tag: "Json" as const } }]) {
        const seen = yield* play({
          targets: [[broken("The mill")], [whole]],
          continues: true,
          request: { ...request, ...more }
        })
        expectRescued(seen)
        assert.strictEqual(seen.record.attempts[1]?.rescue?.by, "restart")
      }
    })
  )

  it.effect("is asked for by name where nothing is known of a target, and never where it is known not to do it", () =>
    Effect.gen(function* () {
      expectRescued(yield* play({ targets: [[broken("The mill")], [rest]], rescue: "continue" }))
      const seen = yield* play({ targets: [[broken("The mill")], [whole]], rescue: "continue", continues: false })
      expectFailed(seen, "The mill")
      const auto = yield* play({ targets: [[broken("The mill")], [whole]] })
      assert.strictEqual(auto.record.attempts[1]?.rescue?.by, "restart")
    })
  )
})

const busy = failure({ _tag: "Overloaded" }, "Too much to do")
const broke = failure({ _tag: "UpstreamServer" }, "broke")
const always = (script: Script) => Array.from({ length: 9 }, () => script)
const triesOf = ({ record }: Effect.Success<ReturnType<typeof play>>) =>
  record.attempts.map(({ provider, rescue }) => `${provider} ${rescue?.by ?? "asked"}`)

describe("the attempts of a rescue", () => {
  it.effect("are what the call has left", () =>
    Effect.gen(function* () {
      const first = [[fail(broke)], broken("The mill")]
      const seen = yield* play({ targets: [first, always([fail(broke)])], maxAttempts: 4 })
      expectFailed(seen, "The mill")
      assert.deepStrictEqual(triesOf(seen), ["p0 asked", "p0 asked", "p1 restart", "p1 restart"])
    })
  )

  it.effect.each([1, 2])("are one, where the call has spent %i of as many before", (maxAttempts) =>
    Effect.gen(function* () {
      const first = [...Array.from({ length: maxAttempts - 1 }, (): Script => [fail(broke)]), broken("The mill")]
      expectRescued(yield* play({ targets: [first, [whole]], maxAttempts }))
      const seen = yield* play({ targets: [first, always([fail(broke)])], maxAttempts })
      expectFailed(seen, "The mill")
      assert.strictEqual(seen.record.attempts.length, maxAttempts + 1)
    })
  )

  it.effect("do not ask one who is silent again", () =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [[broken("The mill")], always([started(), hang])] })
      expectFailed(seen, "The mill")
      assert.deepStrictEqual(triesOf(seen), ["p0 asked", "p1 restart"])
    })
  )

  it.effect.each([busy, broke, refused, failure({ _tag: "Timeout", phase: "firstToken" }, "silent")])(
    "go over to a restart at another target where one does not go on: $reason._tag",
    (error) =>
      Effect.gen(function* () {
        const targets = [[broken("The mill")], always([fail(error)]), [whole]]
        const seen = yield* play({ targets, continues: [false, true, false] })
        expectRescued(seen)
        assert.deepStrictEqual(triesOf(seen), ["p0 asked", "p1 continue", "p2 restart"])
        assert.deepStrictEqual(
          seen.record.notices.map(({ code }) => code),
          ["rescued"]
        )
        assert.strictEqual(seen.asked[2]?.[0]?.request, request)
        const spent = yield* play({ targets, continues: [false, true, false], maxAttempts: 2 })
        expectFailed(spent, "The mill")
        assert.deepStrictEqual(triesOf(spent), ["p0 asked", "p1 continue"])
      })
  )

  it.effect("go over at once from one who wants to be left alone for a moment", () =>
    Effect.gen(function* () {
      const later = failure({ _tag: "Overloaded" }, "Too much to do", { retryAfterMs: 3000 })
      const seen = yield* play({
        targets: [[broken("The mill")], always([fail(later)]), [whole]],
        continues: [false, true, false]
      })
      expectRescued(seen)
      const [, second, third] = seen.record.attempts
      assert.strictEqual(third?.startedAt, second?.startedAt)
    })
  )

  it.effect("restart with who refuses the beginning, where there is nobody else", () =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [[broken("The mill")], [[fail(refused)], whole]], continues: true })
      expectRescued(seen)
      assert.deepStrictEqual(triesOf(seen), ["p0 asked", "p1 continue", "p1 restart"])
    })
  )

  it.effect("say so when the caller leaves meanwhile", () =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [[broken("The mill")], [[started(), hang]]], leaves: 1000 })
      assert.deepInclude(seen.record.outcome, { kind: "Cancelled", by: "client" })
      assert.deepStrictEqual(seen.record.attempts[1]?.rescue, { by: "restart", at: 8 })
      assert.deepStrictEqual(seen.endings[1], ["abandoned"])
    })
  )
})

describe("an answer that is collected from a stream", () => {
  const collected = { delivery: "whole", more: { upstreamDelivery: "stream" } } as const

  it.effect("is asked for anew where it breaks off, whatever comes then", () =>
    Effect.gen(function* () {
      for (const rescue of ["auto", "off"] as const) {
        const seen = yield* play({ targets: [[broken("Another"), broken("beginning")], [whole]], rescue, ...collected })
        expectRescued(seen)
        assert.deepStrictEqual(triesOf(seen), ["p0 asked", "p0 asked", "p1 asked"])
        assert.deepStrictEqual(seen.record.notices, [])
      }
    })
  )

  it.effect("is asked for anew also where only its provider streams", () =>
    Effect.gen(function* () {
      const seen = yield* play({
        targets: [[broken("Another"), broken("beginning")], [whole]],
        rescue: "off",
        delivery: "whole"
      })
      expectRescued(seen)
    })
  )

  it.effect("fails with nothing of it, once its attempts are spent", () =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [always(broken("The mill"))], maxAttempts: 3, ...collected })
      expectFailed(seen, "")
      assert.strictEqual(seen.record.attempts.length, 3)
    })
  )

  it.effect("is gone on with where it is too long to be held", () =>
    Effect.gen(function* () {
      const long = Array.from({ length: 300 }, () => Array.from({ length: 1000 }, (_, index) => `${index} `))
      const begun: Script = [
        started(),
        emit({ _tag: "TextStart", id: "t" }),
        ...long.map((texts) => emit(...texts.map((text) => ({ _tag: "TextDelta" as const, id: "t", text }))))
      ]
      const seen = yield* play({
        targets: [
          [[...begun, fail(reset)]],
          [[...begun, emit({ _tag: "TextDelta", id: "t", text: "end" }, { _tag: "TextEnd", id: "t" }), finish()]]
        ],
        ...collected,
        // The clock jumps further than so much takes to be read.
        more: { ...collected.more, timeouts: { connect: 0, firstToken: 0, idle: 0, total: 0 } }
      })
      assert.isUndefined(seen.error)
      assert.strictEqual(said(seen.events), `${long.flat().join("")}end`)
      assert.deepStrictEqual(triesOf(seen), ["p0 asked", "p1 restart"])
    })
  )
})

describe("nothing is gone on with", () => {
  it.effect("where that is off", () =>
    Effect.gen(function* () {
      expectFailed(yield* play({ targets: [[broken("The mill")], [whole]], rescue: "off" }), "The mill")
    })
  )

  const toolOpen: Script = [
    started(),
    text("The mill"),
    emit({ _tag: "ToolInputStart", id: "c", name: "look" }, { _tag: "ToolInputDelta", id: "c", text: "{" }),
    fail(reset)
  ]
  it.effect.each([
    ["a tool call is open", toolOpen],
    ["a tool call is complete", [started(), text("The mill"), toolCall("c", "look", {}), fail(reset)]],
    ["the model refused", [started(), text("The mill"), emit({ _tag: "RefusalDelta", text: "No" }), fail(reset)]]
  ] as ReadonlyArray<[string, Script]>)("once %s", ([, first]) =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [[first], [whole]] })
      expectFailed(seen, "The mill")
      assert.strictEqual(seen.record.attempts.length, 1)
    })
  )

  it.effect.each([
    failure({ _tag: "ContentBlocked" }, "not that"),
    failure({ _tag: "InvalidRequest", kind: "semantic" }, "not so"),
    failure({ _tag: "Internal" }, "broken")
  ])("after a failure that is an answer: $reason._tag", (error) =>
    Effect.gen(function* () {
      const seen = yield* play({ targets: [[[...broken("The mill").slice(0, -1), fail(error)]], [whole]] })
      expectFailed(seen, "The mill", error)
      assert.strictEqual(seen.record.attempts.length, 1)
    })
  )

  it.effect("when the time of the call is up", () =>
    Effect.gen(function* () {
      const slow = [
        ...broken("The mill").slice(0, -1),
        ...Array.from({ length: 30 }, () => [
          wait("50 seconds"),
          emit({ _tag: "UsageReported", usage: { source: "none" } })
        ]).flat()
      ]
      const seen = yield* play({ targets: [[slow], [whole]] })
      assert.deepInclude(seen.record.outcome, { kind: "Failed", reason: "Timeout", phase: "total" })
      assert.strictEqual(seen.record.attempts.length, 1)
    })
  )
})
