/**
 * What a soak asks for: models whose targets fail in every way, and calls whose clients do what clients do. All of it
 * follows from a seed.
 */
import { seeded, words } from "../../src/providers/simulator/Seeded.ts"

export type Api = "openai-chat" | "openai-responses" | "anthropic-messages" | "gemini"
export const apis: ReadonlyArray<Api> = ["openai-chat", "openai-responses", "anthropic-messages", "gemini"]

/** A model of the configuration, and the texts that are whole answers of it. */
export interface SoakModel {
  readonly name: string
  readonly entry: object
  readonly answers: ReadonlyArray<string>
}

/** One call. What a client does beside reading it does after so many milliseconds. */
export interface SoakCall {
  readonly id: string
  readonly api: Api
  readonly stream: boolean
  readonly model: SoakModel
  readonly leavesAfter?: number
  readonly cancelsAfter?: number
}

type Draw = () => number

const upTo = (draw: Draw, limit: number): number => Math.floor(draw() * limit)
const oneOf = <A>(draw: Draw, list: ReadonlyArray<A>): A => list[upTo(draw, list.length)] as A
const isDrawn = (draw: Draw, share: number): boolean => draw() < share

const statuses = [400, 401, 402, 403, 404, 408, 429, 500, 502, 503, 529]

/** Every way in which the simulator fails, at a random place of an answer of so many words. */
const faults: ReadonlyArray<(draw: Draw, count: number) => string> = [
  (draw) => `status=${oneOf(draw, statuses)}`,
  () => "status=429&retry-after=30ms",
  () => "status=429&retry-after=60",
  () => "hang",
  () => "first=1m",
  () => "head=1m",
  () => "reset",
  (draw, count) => `stall=${upTo(draw, count)}`,
  (draw, count) => `reset=${upTo(draw, count)}`,
  (draw, count) => `truncate=${upTo(draw, count)}`,
  (draw, count) => `malformed=${upTo(draw, count)}`,
  (draw, count) => `error=${upTo(draw, count)}&status=${oneOf(draw, [500, 503, 529])}`,
  (draw) => `split=${upTo(draw, 1000)}`,
  () => "one-byte"
]

const targetOf = (draw: Draw, count: number, seed: number, fails: number): object => {
  const options = [`seed=${seed}`, `pace=${oneOf(draw, ["0", "0", "1ms", "2ms"])}`]
  if (isDrawn(draw, fails)) {
    options.push(oneOf(draw, faults)(draw, count))
    if (isDrawn(draw, 0.2)) options.push(`times=${1 + upTo(draw, 3)}`)
  }
  return {
    // Nobody listens at the address of the last one.
    provider: isDrawn(draw, 0.04) ? "nobody" : oneOf(draw, apis),
    model: `words-${count}?${options.join("&")}`,
    ...(isDrawn(draw, 0.1) ? { limits: { concurrency: 2, queue: 4, maxWait: "100ms" } } : {})
  }
}

const modelAt = (draw: Draw, index: number): SoakModel => {
  const count = 5 + upTo(draw, 55)
  const targets = 1 + upTo(draw, 3)
  const rescue = oneOf(draw, ["auto", "auto", "restart", "continue", "off"])
  // Who is given the beginning of an answer is taken at its word.
  const takesBeginnings = rescue === "continue" || isDrawn(draw, 0.3)
  // Most targets of a model say the same, so that there is something to be gone on with.
  const seeds = Array.from({ length: targets }, () => (takesBeginnings || isDrawn(draw, 0.8) ? 1 : 2))
  return {
    name: `model-${index}`,
    answers: [...new Set(seeds)].map((seed) => words(seed, count).join("")),
    entry: {
      targets: seeds.map((seed, at) => ({
        ...targetOf(draw, count, seed, at === 0 ? 0.8 : 0.4),
        prefill: takesBeginnings && isDrawn(draw, 0.7)
      })),
      strategy: oneOf(draw, ["ordered", "ordered", "random", "least-latency", "least-busy"]),
      rescue,
      ...(targets > 1 && isDrawn(draw, 0.2) ? { hedge: { after: "20ms" } } : {}),
      ...(isDrawn(draw, 0.3) ? { onDisconnect: "drain", drain: { maxTime: "100ms" } } : {}),
      ...(isDrawn(draw, 0.2) ? { upstream: "stream" } : {})
    }
  }
}

const callAt = (draw: Draw, index: number, models: ReadonlyArray<SoakModel>): SoakCall => {
  const does = draw()
  return {
    id: `soak-${index}`,
    api: oneOf(draw, apis),
    stream: isDrawn(draw, 0.8),
    model: oneOf(draw, models),
    ...(does < 0.15 ? { leavesAfter: upTo(draw, 150) } : {}),
    ...(does > 0.9 ? { cancelsAfter: upTo(draw, 150) } : {})
  }
}

export const soakOf = (seed: number, calls: number) => {
  const draw = seeded(seed)
  const models = Array.from({ length: 150 }, (_, index) => modelAt(draw, index))
  return { models, calls: Array.from({ length: calls }, (_, index) => callAt(draw, index, models)) }
}

/** The configuration of a server that is soaked; the simulator is at `simulator`. */
export const documentOf = (models: ReadonlyArray<SoakModel>, simulator: string): object => ({
  providers: {
    nobody: { protocol: "openai-chat", baseUrl: "http://127.0.0.1:9/v1", apiKey: "x" },
    ...Object.fromEntries(
      apis.map((protocol) => {
        const baseUrl = protocol.startsWith("openai-") ? `${simulator}/v1` : simulator
        return [protocol, { protocol, baseUrl, apiKey: "x" }]
      })
    )
  },
  defaults: {
    retry: { initialDelay: "5ms", maxDelay: "50ms" },
    breaker: { failures: 5, openFor: "50ms", maxOpenFor: "200ms" },
    timeouts: { connect: "500ms", firstToken: "100ms", idle: "100ms", total: "2s" }
  },
  models: Object.fromEntries(models.map(({ name, entry }) => [name, entry]))
})
