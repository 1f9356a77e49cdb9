import { layer } from "@effect/vitest"
import { Effect } from "effect"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { words } from "../../src/providers/simulator/Seeded.ts"
import { Running, running, type RunningOptions } from "../server/running.ts"

/** The providers behind the server: one simulator, reached by each of the two APIs. */
export const upstreams = ["chat", "messages"] as const
export type UpstreamName = (typeof upstreams)[number]

/** A request as the simulator received it; the body is a JSON document of the provider's API. */
export type Received = ReturnType<Scenario["received"]>[number]

/**
 * What a user of an SDK has: a server's address. Beside it, what a test looks at: the records of the calls that were made
 * through `fetch`, and what reached the provider since the scenario began.
 */
export class Scenario<Upstream extends string = UpstreamName> {
  readonly upstream: Upstream
  readonly url: string
  private readonly calls: Array<string> = []
  private readonly running: Running["Service"]

  private readonly prefix: string

  constructor(upstream: Upstream, running: Running["Service"], prefix: string = upstream) {
    this.prefix = prefix
    this.upstream = upstream
    this.url = running.url
    this.running = running
  }

  /** The address of the provider itself. */
  get providerUrl(): string {
    return this.running.simulator.url
  }

  /** A simulated model, at the provider of this scenario. */
  model(name: string): string {
    return `${this.prefix}/${name}`
  }

  /** What an SDK is given as its `fetch`. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init)
    const id = response.headers.get("x-millrace-call-id")
    if (id !== null) this.calls.push(id)
    return response
  }

  received() {
    return this.running.simulator.log.requests().map((request) => {
      // Documents of both APIs are looked into freely.
      const body = JSON.parse(JSON.stringify(request.body))
      return { ...request, body }
    })
  }

  /** The records of the calls that were answered, in order, each once it has ended. */
  async records(): Promise<ReadonlyArray<CallRecord>> {
    const records: Array<CallRecord> = []
    for (const id of this.calls) records.push(await this.ended(id))
    return records
  }

  /** The record of the last call that was answered. */
  async record(): Promise<CallRecord> {
    const id = this.calls.at(-1)
    if (id === undefined) throw new Error("no call was answered")
    return this.ended(id)
  }

  /** The record of the last call that was made, for one that had no answer. */
  async unanswered(): Promise<CallRecord> {
    const last = async () => (await this.read("/v1/calls?limit=1")).data[0]
    await this.until(async () => (await last())?.status === "ended")
    return last()
  }

  /** Waits until something is so; in vain, until the time limit of the test. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2))
  }

  /** Waits until the last request to the provider has ended, and says how. */
  async ending(): Promise<string> {
    await this.until(() => this.received().every(({ state }) => state !== "open"))
    return this.received().at(-1)?.state ?? "none"
  }

  async begin(): Promise<void> {
    await fetch(`${this.providerUrl}/_simulate/requests`, { method: "DELETE" })
  }

  private async ended(id: string): Promise<CallRecord> {
    await this.until(async () => (await this.read(`/v1/calls/${id}`)).status === "ended")
    return this.read(`/v1/calls/${id}`)
  }

  private async read(path: string) {
    return JSON.parse(await (await fetch(`${this.url}${path}`)).text())
  }
}

type Define = (name: string, body: (at: Scenario) => Promise<void>) => void

/**
 * Scenarios around one server. `scenario` tries each with both providers; `from.chat` and `from.messages` are for what
 * concerns one of them.
 */
export const scenarios = (
  name: string,
  options: RunningOptions,
  define: (scenario: Define, from: { readonly [name in UpstreamName]: Define }) => void
): void =>
  layer(running(options), { excludeTestServices: true })(name, (it) => {
    const from =
      (upstream: UpstreamName): Define =>
      (name, body) =>
        it.effect(`${name}, from ${upstream}`, () =>
          Effect.gen(function* () {
            const at = new Scenario(upstream, yield* Running)
            yield* Effect.promise(() => at.begin())
            yield* Effect.promise(() => body(at))
          })
        )
    const both: Define = (name, body) => upstreams.forEach((upstream) => from(upstream)(name, body))
    define(both, { chat: from("chat"), messages: from("messages") })
  })

/** What a promise was rejected with; fails where it was not. */
export const rejection = async (promise: PromiseLike<unknown>): Promise<unknown> => {
  const nothing = Symbol()
  const reason = await promise.then(
    () => nothing,
    (reason: unknown) => reason
  )
  if (reason === nothing) throw new Error("the promise was not rejected")
  return reason
}

/** Everything that an async iterable gives. */
export const collect = async <A>(items: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const item of items) all.push(item)
  return all
}

/** What the simulated model `words-N` says. */
export const wordsOf = (count: number, seed = 1): string => words(seed, count).join("")

/** A picture of one pixel, as a data URL. */
export const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
