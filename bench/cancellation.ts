/**
 * Measures how long it takes until the provider's connection is closed after a client has left.
 *
 *     node bench/cancellation.ts [--runs 50]
 *
 * Client and provider are this process, Millrace is one of its own. The provider is looked at once in every turn of the
 * event loop, so that the numbers are true to a fraction of a millisecond.
 */
import { type ClientRequest, request } from "node:http"
import { createServer } from "node:net"
import { parseArgs } from "node:util"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { simulateServer, type SimulateServer } from "../src/server/simulate/SimulateServer.ts"
import { monotonicMicros } from "./clock.ts"
import { startMillrace, temporaryFolder } from "./processes.ts"

const { values: flags } = parseArgs({ options: { runs: { type: "string", default: "50" } } })
const runs = Math.max(1, Number(flags.runs) || 50)

/** What providers are doing: the simulator, and one that takes connections and never says anything. */
interface Providers {
  readonly simulator: SimulateServer
  /** connections to the silent one that are open */
  readonly silent: () => number
}

/** Where a client's call is when it leaves. */
interface Phase {
  readonly model: string
  /** whether the call has come there, by what the client has, and by what the providers do */
  readonly come: (text: string, providers: Providers) => boolean
  /** a call that was made before and stays: its provider's connection is not waited for */
  readonly behind?: true
  /** nobody is asked at that moment: what ends is the call itself, as the server's metrics show it */
  readonly alone?: true
}

const open = ({ simulator }: Providers): number => simulator.log.stats().requests.open
const lastModel = ({ simulator }: Providers): string => simulator.log.requests().at(-1)?.model ?? ""

const phases: { readonly [name: string]: Phase } = {
  "in the queue of a target": { model: "narrow", come: () => true, behind: true, alone: true },
  "while it waits to ask again": {
    model: "retrying",
    come: (_, providers) => lastModel(providers).includes("status=500") && open(providers) === 0,
    alone: true
  },
  "while it connects": { model: "silent/any", come: (_, { silent }) => silent() === 1 },
  "before the head": { model: "fake/echo?hang", come: (_, providers) => open(providers) === 1 },
  "before the first token": {
    model: "fake/words-5?first=1m",
    come: (_, providers) => open(providers) === 1 && providers.simulator.log.requests().at(-1)?.status === 200
  },
  "while two targets are asked": { model: "hedged", come: (_, providers) => open(providers) === 2 },
  "in the stream": { model: "fake/words-90000?pace=5ms", come: (text) => text.length > 600 },
  "while the stream is silent": { model: "fake/words-9?stall=5&pace=1ms", come: (text) => text.length > 600 },
  "while its answer is gone on with": {
    model: "rescued",
    come: (text, providers) => text !== "" && open(providers) === 1 && lastModel(providers).includes("first=1m")
  }
}

const to = (...models: ReadonlyArray<string>) => models.map((model) => ({ provider: "fake", model }))
const never = { failures: 0 }

const models = {
  narrow: { targets: [{ provider: "fake", model: "echo?hang", limits: { concurrency: 1 } }] },
  retrying: { targets: to("echo?status=500"), retry: { initialDelay: "5s" }, breaker: never },
  hedged: { targets: to("echo?hang", "words-5?first=1m"), hedge: { after: "5ms" } },
  rescued: { targets: to("words-60?truncate=20&pace=0", "words-60?first=1m"), breaker: never }
}

const turnUntil = (holds: () => boolean): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const look = (): void => void (holds() ? resume(Effect.void) : setImmediate(look))
    look()
  })

const call = (origin: string, model: string, onText: (text: string) => void): ClientRequest => {
  const sent = request(`${origin}/v1/messages`, { method: "POST", agent: false })
  sent.on("error", () => {})
  sent.on("response", (response) => {
    let text = ""
    response.setEncoding("utf8").on("data", (data: string) => onText((text += data)))
    response.on("error", () => {})
  })
  const messages = [{ role: "user", content: "hello" }]
  sent.end(JSON.stringify({ model, stream: true, max_tokens: 100_000, messages }))
  return sent
}

/** How many calls the server has open: what it costs to ask is in the times of those phases. */
const callsOpen = (origin: string): Effect.Effect<number> =>
  Effect.promise(() => fetch(`${origin}/metrics`).then((answer) => answer.text())).pipe(
    Effect.map((text) => Number(/^millrace_calls_open (\d+)$/m.exec(text)?.[1]))
  )

const callsUntil = (origin: string, count: number): Effect.Effect<number> =>
  Effect.repeat(callsOpen(origin), { until: (found) => found === count })

/** Milliseconds from the client's leaving until nothing of its call is left: no connection to a provider, or no call. */
const once = Effect.fnUntraced(function* (origin: string, providers: Providers, { alone, behind, come, model }: Phase) {
  const kept = behind === undefined ? undefined : call(origin, model, () => {})
  if (kept !== undefined) yield* turnUntil(() => open(providers) === 1)
  const others = kept === undefined ? 0 : 1
  let text = ""
  const client = call(origin, model, (received) => (text = received))
  yield* callsUntil(origin, others + 1)
  yield* turnUntil(() => come(text, providers))
  const left = monotonicMicros()
  client.destroy()
  if (alone) yield* callsUntil(origin, others)
  else yield* turnUntil(() => open(providers) === others && providers.silent() === 0)
  const took = (monotonicMicros() - left) / 1000
  kept?.destroy()
  yield* callsUntil(origin, 0)
  yield* turnUntil(() => open(providers) === 0)
  return took
})

/** Takes connections and says nothing. */
const silentServer = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; open: number; readonly close: () => void }>((resume) => {
    const server = createServer((socket) => {
      held.open++
      // Who does not read does not notice an end either.
      socket.resume().on("error", () => {})
      socket.on("close", () => held.open--)
    })
    const held = { port: 0, open: 0, close: () => void server.close() }
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      held.port = address !== null && typeof address === "object" ? address.port : 0
      resume(Effect.succeed(held))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const summary = (times: ReadonlyArray<number>): string => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2)
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms`
}

Effect.gen(function* () {
  const simulator = yield* simulateServer({ port: 0 })
  const listener = yield* silentServer
  const providers: Providers = { simulator, silent: () => listener.open }
  const folder = yield* temporaryFolder
  const configured = {
    fake: { protocol: "anthropic-messages", baseUrl: simulator.url, apiKey: "x" },
    // A handshake that is never answered is a connection that is never made.
    silent: { protocol: "anthropic-messages", baseUrl: `https://127.0.0.1:${listener.port}`, apiKey: "x" }
  }
  const { origin } = yield* startMillrace(folder, { providers: configured, models })
  for (const [name, phase] of Object.entries(phases)) {
    yield* once(origin, providers, phase)
    const times = yield* Effect.replicateEffect(once(origin, providers, phase), runs)
    process.stdout.write(`${name}: ${summary(times)} (${runs} runs)\n`)
  }
  const { connections, requests } = simulator.log.stats()
  process.stdout.write(
    `${requests.total} requests came to the provider; open now: ${requests.open}, ${connections.open} idle connections, ` +
      `${listener.open} that were being made\n`
  )
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer), NodeRuntime.runMain)
