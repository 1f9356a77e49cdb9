// Reads conversations for signals, with patterns of one's own beside the built-in ones. Run it with
//   npm run example -- examples/signals.ts
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Stream } from "effect"
import {
  AuditTrail,
  callOf,
  Engine,
  type LanguagePack,
  type LlmRequest,
  observeSignals,
  packsOf,
  Router,
  Signals,
  SignalStoreMemory,
  Upstream
} from "millrace"

/** Portuguese is not built in. The same as a YAML file would be named by `signals.packs`. */
const portuguese: LanguagePack = {
  language: "pt",
  patterns: {
    humanAgent: ["=(falar|conversar) com (um|uma) (humano|pessoa|atendente)"],
    quit: ["=(eu|) desisto"],
    negation: ["não"]
  }
}

const polite = Upstream.fromEvents(({ model }) =>
  Stream.make(
    { _tag: "Started", id: "1", model },
    { _tag: "TextStart", id: "text" },
    { _tag: "TextDelta", id: "text", text: "Lamento muito." },
    { _tag: "TextEnd", id: "text" },
    { _tag: "Finish", reason: "stop", usage: { source: "none" } }
  )
)

const turn = (role: "user" | "assistant", text: string) => ({ role, parts: [{ _tag: "Text", text }] }) as const

const opening = [turn("user", "Onde está meu pedido?"), turn("assistant", "Está a caminho.")]

const request = (...messages: LlmRequest.LlmRequest["messages"]) => callOf({ model: "support", messages, sampling: {} })

const program = Effect.gen(function* () {
  const engine = yield* Engine
  const signals = yield* Signals

  const show = Effect.fnUntraced(function* (call: ReturnType<typeof request>) {
    const { id } = yield* engine.run(call)
    // Conversations are read after their calls: whoever cannot wait for that asks for it.
    yield* signals.settled
    const report = yield* signals.get(id)
    yield* Console.log(
      report === undefined
        ? "nothing new"
        : `${report.quality}: ${report.signals.map(({ message, type }) => `${type} at message ${message}`).join(", ")}`
    )
  })

  yield* show(request(...opening, turn("user", "Quero falar com uma pessoa!")))
  // The same history, one turn later: nothing is raised twice.
  yield* show(
    request(
      ...opening,
      turn("user", "Quero falar com uma pessoa!"),
      turn("assistant", "Lamento muito."),
      turn("user", "Quantos dias ainda?")
    )
  )
})

const layer = Engine.layer.pipe(
  Layer.provide(observeSignals),
  Layer.provideMerge(Signals.layer({ packs: packsOf(["en"], [portuguese]), gather: 0 })),
  Layer.provide([SignalStoreMemory.layer, Router.layerSingle.pipe(Layer.provide(Upstream.layer(polite)))]),
  Layer.provide(AuditTrail.layerMemory())
)

NodeRuntime.runMain(Effect.provide(program, layer))
