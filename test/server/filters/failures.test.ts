import { assert, layer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { FailurePolicy, Filter } from "../../../src/filters/Filter.ts"
import { ask, askChat, askMessages, recordOf, running } from "../running.ts"

const policies: ReadonlyArray<FailurePolicy> = ["open", "closed", "drop"]
const said = "Say it back, please."

const isSaid = (event: LlmEvent): boolean => event._tag === "TextDelta"

/** What goes wrong on an answer, and what that is called. */
const faults = {
  throws: {
    kind: "error",
    events: () =>
      Stream.map((event: LlmEvent) => {
        if (isSaid(event)) throw new Error("it broke")
        return event
      })
  },
  hangs: {
    kind: "timeout",
    events: () => Stream.mapEffect((event: LlmEvent) => (isSaid(event) ? Effect.never : Effect.succeed(event)))
  },
  "is slow": {
    kind: "timeout",
    events: () =>
      Stream.mapEffect((event: LlmEvent) =>
        isSaid(event) ? Effect.delay(Effect.succeed(event), "1 minute") : Effect.succeed(event)
      )
  },
  "lets garbage out": {
    kind: "garbage",
    // What a program that is not type checked may do.
    events: () => Stream.map((event: LlmEvent) => (isSaid(event) ? ({ _tag: "TextDelta", id: 1 } as never) : event))
  }
} as const satisfies { readonly [what: string]: { readonly kind: string; readonly events: Filter["events"] } }

const broken: ReadonlyArray<Filter> = Object.entries(faults).flatMap(([what, { events }]) =>
  policies.map((onFailure) => ({ name: `${what}, ${onFailure}`, onFailure, timeout: "100 millis", events }))
)

/** The filter that a call is to have: the others leave it alone. */
const chosen = ({ events, name, ...filter }: Filter): Filter => ({
  ...filter,
  name,
  headers: ["x-chosen"],
  events: (request, context) =>
    context.headers["x-chosen"] === name && events !== undefined ? events(request, context) : (self) => self
})

const requestSide = policies.map((onFailure): Filter => ({
  name: `request, ${onFailure}`,
  onFailure,
  request: (request, { headers }) =>
    headers["x-chosen"] === `request, ${onFailure}` ? Effect.die("it broke") : Effect.succeed(request)
}))

const server = running({
  filters: [...broken.map(chosen), ...requestSide],
  sections: {
    filters: {
      dead: { kind: "http", url: "http://127.0.0.1:1", onFailure: "open", breaker: { failures: 1, openFor: "1h" } }
    }
  },
  models: {
    echo: { targets: [{ provider: "chat", model: "echo?chunk=100" }] },
    remote: { targets: [{ provider: "chat", model: "echo?chunk=100" }], filters: ["dead"] }
  }
})

const askers = { chat: askChat, messages: askMessages }

layer(server, { excludeTestServices: true })("a filter of answers that", (it) => {
  for (const [what, { kind }] of Object.entries(faults)) {
    for (const policy of policies) {
      for (const [dialect, asked] of Object.entries(askers)) {
        for (const stream of [true, false]) {
          const filter = `${what}, ${policy}`
          it.effect(`${filter}, does so and is told of: ${dialect}, ${stream ? "streamed" : "whole"}`, () =>
            Effect.gen(function* () {
              const seen = yield* asked("echo", { stream }, { headers: { "x-chosen": filter } })
              const record = yield* recordOf(seen)
              assert.deepStrictEqual(record.filterFailures, [{ filter, phase: "answer", kind, policy, times: 1 }])
              assert.strictEqual(record.outcome?.kind, policy === "closed" ? "Failed" : "Completed")
              assert.strictEqual(record.response?.text, policy === "open" ? said : "")
              assert.strictEqual(seen.text.includes("please"), policy === "open", seen.text)
              assert.strictEqual(seen.status, policy === "closed" ? 502 : 200)
              assert.notInclude(seen.text, "it broke")
            })
          )
        }
      }
    }
  }
})

layer(server, { excludeTestServices: true })("a filter of requests that fails", (it) => {
  for (const policy of policies) {
    it.effect(`does what its policy says and is told of: ${policy}`, () =>
      Effect.gen(function* () {
        const filter = `request, ${policy}`
        const seen = yield* askChat("echo", {}, { headers: { "x-chosen": filter } })
        assert.strictEqual(seen.status, policy === "open" ? 200 : 502)
        const { filterFailures, outcome } = yield* recordOf(seen)
        const applied = policy === "open" ? "open" : "closed"
        assert.deepStrictEqual(filterFailures, [{ filter, phase: "request", kind: "error", policy: applied, times: 1 }])
        assert.strictEqual(outcome?.kind, policy === "open" ? "Completed" : "Failed")
      })
    )
  }

  it.effect("is counted, also where it was left alone because it failed too often", () =>
    Effect.gen(function* () {
      for (const _ of [1, 2]) yield* recordOf(yield* askChat("remote"))
      const { filterFailures = [] } = yield* recordOf(yield* askChat("remote"))
      assert.deepStrictEqual(
        filterFailures.map(({ kind, phase }) => `${phase} ${kind}`),
        ["request unavailable", "answer unavailable"]
      )
      const { text } = yield* ask("/metrics")
      const labels = 'filter="dead",phase="request",kind="unavailable",policy="open"'
      const line = text
        .split("\n")
        .find((one) => one.startsWith("millrace_filter_failures_total") && one.includes(labels))
      assert.match(line ?? text, / [2-9]$/)
    })
  )
})
