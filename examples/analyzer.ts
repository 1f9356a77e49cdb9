// An analyzer of one's own: it watches answers while they stream and stops those that promise refunds. Run it with
//   npm run example -- examples/analyzer.ts
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Stream } from "effect"
import { type Analyzer, AuditTrail, callOf, Engine, prompt, Router, Upstream, watchAnswers, watchText } from "millrace"

/**
 * `watch` begins anew for every answer. `watchText` looks at the text whenever another 16 characters are there, whatever
 * the pieces it comes in, so that the same answer always gives the same result.
 */
export const promises: Analyzer = {
  name: "promises",
  onFinding: "stop",
  watch: () =>
    watchText({ step: 16, size: 200 }, (tail) =>
      /\bI (have|will) refund/.test(tail) ? { category: "promise", severity: "high" } : undefined
    )
}

const eager = Upstream.fromEvents(({ model }) =>
  Stream.fromIterable([
    { _tag: "Started", id: "1", model } as const,
    { _tag: "TextStart", id: "text" } as const,
    ...["I am sorry about the broken wheel. ", "I will refund ", "everything, twice."].map(
      (text) => ({ _tag: "TextDelta", id: "text", text }) as const
    ),
    { _tag: "TextEnd", id: "text" } as const,
    { _tag: "Finish", reason: "stop", usage: { source: "none" } } as const
  ])
)

const program = Effect.gen(function* () {
  const engine = yield* Engine
  const { id, outcome, response } = yield* engine.run(callOf(prompt("support", "My wheel is broken.")))
  yield* Console.log(JSON.stringify(outcome))
  yield* Console.log(JSON.stringify(response.choices[0]?.parts))
  const audit = yield* AuditTrail
  const record = yield* audit.get(id)
  yield* Console.log(JSON.stringify(record?.findings))
})

const layer = Engine.layer.pipe(
  Layer.provide(Router.layerSingle),
  Layer.provide(Upstream.layer(eager)),
  Layer.provide(watchAnswers([promises])),
  Layer.provideMerge(AuditTrail.layerMemory({ durability: "strict" }))
)

if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, layer))
