// A filter and a guardrail of one's own, as a Layer. Run it with
//   npm run example -- examples/guardrail.ts
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Result, Stream } from "effect"
import { AuditTrail, callOf, Engine, Filters, judgeAnswers, prompt, redact, Router, Upstream } from "millrace"

/** A stock filter: hides e-mail addresses, in requests and answers. */
export const hideMail = Result.getOrThrow(redact({ name: "mail", packs: ["email"] }))

/** A guardrail: judges answers 40 characters at a time, and lets nothing leave before. */
export const noPromises = judgeAnswers({
  name: "no-promises",
  windows: { mode: "window", characters: 40, overlap: 12 },
  judge: ({ text }) =>
    Effect.succeed(
      text.includes("guaranteed")
        ? { _tag: "Refuse", reason: "it makes a promise", message: "I cannot promise that." }
        : { _tag: "Pass" }
    )
})

/** Says what it was asked, in small pieces, and then promises something. */
const echo = Upstream.fromEvents(({ request, model }) => {
  const [part] = request.messages.at(-1)?.parts ?? []
  const said = `You said: ${part?._tag === "Text" ? part.text : ""}. Success is guaranteed!`
  return Stream.fromIterable([
    { _tag: "Started", id: "echo-1", model } as const,
    { _tag: "TextStart", id: "text" } as const,
    ...Array.from(said.match(/.{1,3}/gs) ?? [], (text) => ({ _tag: "TextDelta", id: "text", text }) as const),
    { _tag: "TextEnd", id: "text" } as const,
    { _tag: "Finish", reason: "stop", usage: { source: "none" } } as const
  ])
})

const program = Effect.gen(function* () {
  const engine = yield* Engine
  const { outcome, response } = yield* engine.run(
    callOf(prompt("echo", "write to jane@example.com, it is about the thing"))
  )
  yield* Console.log(JSON.stringify(outcome))
  for (const part of response.choices[0]?.parts ?? []) yield* Console.log(JSON.stringify(part))
})

const layer = Engine.layer.pipe(
  Layer.provide(Router.layerSingle),
  Layer.provide(Upstream.layer(echo)),
  Layer.provide(Layer.succeed(Filters, [hideMail, noPromises])),
  Layer.provideMerge(AuditTrail.layerMemory({ durability: "strict" }))
)

if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, layer))
