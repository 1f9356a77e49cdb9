/**
 * Measures how long it takes until the provider's connection is closed after a client has left.
 *
 *     node bench/cancellation.ts [--runs 50]
 *
 * Client and provider are this process, Millrace is one of its own. The provider is looked at once in every turn of the
 * event loop, so that the numbers are true to a fraction of a millisecond.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type ClientRequest, request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { simulateServer, type SimulateServer } from "../src/server/simulate/SimulateServer.ts"
import { monotonicMicros } from "./clock.ts"
import { heldUntilExit, startMillrace } from "./processes.ts"

const { values: flags } = parseArgs({ options: { runs: { type: "string", default: "50" } } })
const runs = Math.max(1, Number(flags.runs) || 50)

/**
 * What a client is doing when it leaves: the model, how many of its requests the provider has in hand by then, and whether
 * the moment has come, by what the client has and the status.
 */
const phases = {
  "before the head": { model: "fake/echo?hang", open: 1, come: () => true },
  "before the first token": {
    model: "fake/words-5?first=1m",
    open: 1,
    come: (_: string, status?: number) => status === 200
  },
  "while two targets are asked": { model: "hedged", open: 2, come: () => true },
  "in the stream": { model: "fake/words-90000?pace=5ms", open: 1, come: (text: string) => text.length > 600 },
  "while the stream is silent": {
    model: "fake/words-9?stall=5&pace=1ms",
    open: 1,
    come: (text: string) => text.length > 600
  }
}

const models = {
  hedged: {
    targets: ["echo?hang", "words-5?first=1m"].map((model) => ({ provider: "fake", model })),
    hedge: { after: "5ms" }
  }
}
type Phase = keyof typeof phases

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

/** Milliseconds from the client's leaving to the end of the last of the provider's connections, once. */
const once = Effect.fnUntraced(function* (origin: string, { log }: SimulateServer, phase: Phase) {
  const { come, model, open } = phases[phase]
  let text = ""
  const client = call(origin, model, (received) => (text = received))
  yield* turnUntil(() => log.stats().requests.open === open)
  const upstream = log.requests().at(-1)
  yield* turnUntil(() => come(text, upstream?.status))
  const left = monotonicMicros()
  client.destroy()
  yield* turnUntil(() => log.stats().requests.open === 0)
  return (monotonicMicros() - left) / 1000
})

const summary = (times: ReadonlyArray<number>): string => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2)
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms, max ${at(1)} ms`
}

Effect.gen(function* () {
  const simulator = yield* simulateServer({ port: 0 })
  const folder = yield* heldUntilExit(
    () => mkdtempSync(join(tmpdir(), "millrace-bench-")),
    (path) => rmSync(path, { recursive: true, force: true })
  )
  const config = join(folder, "millrace.json")
  const providers = { fake: { protocol: "anthropic-messages", baseUrl: simulator.url, apiKey: "x" } }
  writeFileSync(
    config,
    JSON.stringify({ storage: { url: `sqlite:${join(folder, "millrace.db")}` }, providers, models })
  )
  const { origin } = yield* startMillrace(folder, config)
  for (const phase of Object.keys(phases) as Array<Phase>) {
    yield* once(origin, simulator, phase)
    const times = yield* Effect.replicateEffect(once(origin, simulator, phase), runs)
    process.stdout.write(`${phase}: ${summary(times)} (${runs} runs)\n`)
  }
}).pipe(Effect.scoped, Effect.provide(NodeServices.layer), NodeRuntime.runMain)
