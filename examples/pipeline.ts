// A pipeline of one's own: an upstream, a filter, and what to do with each outcome. Run it with
//   npm run example -- examples/pipeline.ts
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Stream } from "effect"
import { AuditTrail, callOf, Engine, Filters, type Filter, type Outcome, prompt, Router, Upstream } from "millrace"

/** Any stream of events is a provider: this one counts down. */
const countdown = Upstream.fromEvents(({ model }) =>
  Stream.concat(
    Stream.make({ _tag: "Started", id: "countdown-1", model }, { _tag: "TextStart", id: "text" }),
    Stream.concat(
      Stream.range(-3, -1).pipe(
        Stream.tap(() => Effect.sleep("50 millis")),
        Stream.map((n) => ({ _tag: "TextDelta", id: "text", text: `${-n} ` }) as const)
      ),
      Stream.make(
        { _tag: "TextEnd", id: "text" },
        { _tag: "Finish", reason: "stop", usage: { outputTokens: 3, source: "provider" } }
      )
    )
  )
)

/** Spells numbers out. An event that it leaves alone is passed on as the same object. */
const spell: Filter = {
  name: "spell",
  events: () =>
    Stream.map((event) =>
      event._tag === "TextDelta" ? { ...event, text: event.text.replace("3", "three").replace("2", "two") } : event
    )
}

const describe = (outcome: Outcome): string => {
  switch (outcome._tag) {
    case "Completed":
      return `completed: ${outcome.finish}`
    case "Refused":
      return `refused by ${outcome.by}: ${outcome.reason}`
    case "HandedOff":
      return `handed off to ${outcome.target}`
    case "Limited":
      return `cut by the limit on ${outcome.by}`
    case "Cancelled":
      return `cancelled by the ${outcome.by}`
    case "Failed":
      return `failed, ${outcome.reason._tag}: ${outcome.message}`
    case "Interrupted":
      return "the process died"
  }
}

const program = Effect.gen(function* () {
  const engine = yield* Engine

  // A call as a stream: print the text as it comes.
  yield* engine.stream(callOf(prompt("countdown", "Count!"))).pipe(
    Stream.filter((event) => event._tag === "TextDelta"),
    Stream.runForEach(({ text }) => Console.log(text))
  )

  // A call to its end: how it went, and the answer as far as it came.
  const { id, outcome, response } = yield* engine.run(callOf(prompt("countdown", "Again!"), "whole"))
  yield* Console.log(describe(outcome), JSON.stringify(response.choices[0]?.parts))

  // Both are in the audit trail.
  const audit = yield* AuditTrail
  const record = yield* audit.get(id)
  yield* Console.log(`recorded: ${record?.outcome?.kind}, ${record?.usage?.outputTokens} tokens`)
})

const layer = Engine.layer.pipe(
  Layer.provide(Router.layerSingle),
  Layer.provide(Upstream.layer(countdown)),
  Layer.provide(Layer.succeed(Filters, [spell])),
  Layer.provideMerge(AuditTrail.layerMemory({ durability: "strict" }))
)

NodeRuntime.runMain(Effect.provide(program, layer))
