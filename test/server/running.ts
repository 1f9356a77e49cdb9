import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Cause, Context, Effect, FileSystem, Layer, Logger, Schedule } from "effect"
import { inspect } from "node:util"
import type { PriceList } from "../../src/accounting/PriceBook.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { programLayer } from "../../src/config/layers.ts"
import { load } from "../../src/config/load.ts"
import { Engine, EngineLimits } from "../../src/engine/Engine.ts"
import { Filters, type Filter } from "../../src/filters/Filter.ts"
import type { FormatName } from "../../src/providers/formats.ts"
import { Server } from "../../src/server/Server.ts"
import { defaultServerSettings, Settings, type ServerSettings } from "../../src/server/Settings.ts"
import { allSurfaces } from "../../src/protocols/surfaces.ts"
import { simulateServer, type SimulateServer } from "../../src/server/simulate/SimulateServer.ts"
import { ask as askOnce, type Ask, type Seen } from "./simulate/server.ts"

/** The keys that Millrace shows to its providers: nobody else may ever see them. */
export const secrets = {
  chat: "sk-secret-of-chat",
  messages: "sk-secret-of-messages",
  further: "sk-secret-of-further"
}

/** What a test server is made of beside the usual: two providers, `chat` and `messages`, that are one simulator. */
export interface RunningOptions {
  readonly settings?: Partial<ServerSettings>
  readonly filters?: ReadonlyArray<Filter>
  /** bound of the generated text of a call */
  readonly maxText?: number
  readonly models?: object
  /** how models are used that say nothing else: asked once, unless given */
  readonly defaults?: object
  readonly providers?: object
  /** wire formats by which the simulator is reached beside, each by a provider of that name */
  readonly formats?: ReadonlyArray<FormatName>
  /** whether those go on with answers that broke off, where that is not left to their names */
  readonly prefill?: boolean
  readonly storage?: string
  /** what calls are reckoned with, beside the prices that are shipped */
  readonly prices?: PriceList
  /** further sections of the document */
  readonly sections?: object
  /** what the server reads of records instead of what there is */
  readonly records?: Partial<AuditTrail["Service"]>
  /** a folder of recordings for the simulator */
  readonly replay?: string
  /** scripted answers of the simulator */
  readonly script?: ReadonlyArray<object>
}

/** A server in this process with a simulator behind it, and a look inside both. */
export class Running extends Context.Service<
  Running,
  {
    readonly url: string
    readonly port: number
    readonly simulator: SimulateServer
    /** everything that was logged */
    readonly log: ReadonlyArray<string>
    readonly engine: Engine["Service"]
    readonly audit: AuditTrail["Service"]
  }
>()("test/server/Running") {}

/** Models of several targets ask them all. */
const asksAll = { retry: { maxAttempts: 4, initialDelay: "1ms" } }
const withRetries = (models: object): object =>
  Object.fromEntries(
    Object.entries(models).map(([name, model]: [string, { readonly targets?: ReadonlyArray<object> }]) => [
      name,
      (model.targets?.length ?? 0) > 1 ? { ...asksAll, ...model } : model
    ])
  )

const once = { retry: { maxAttempts: 1 }, breaker: { failures: 0 } }

/** The document of a configuration whose providers are at one address. */
export const documentFor = (
  simulator: string,
  {
    models = {},
    providers = {},
    formats = [],
    prefill,
    storage = "memory:",
    sections = {},
    defaults = once
  }: RunningOptions
) => ({
  storage: { url: storage },
  audit: { durability: "strict" },
  providers: {
    chat: { protocol: "openai-chat", baseUrl: `${simulator}/v1`, apiKey: secrets.chat },
    messages: { protocol: "anthropic-messages", baseUrl: simulator, apiKey: secrets.messages },
    ...Object.fromEntries(
      formats.map((protocol) => {
        const baseUrl = protocol.startsWith("openai-") ? `${simulator}/v1` : simulator
        return [protocol, { protocol, baseUrl, apiKey: secrets.further, ...(prefill === undefined ? {} : { prefill }) }]
      })
    ),
    ...providers
  },
  models: withRetries(models),
  // What is asked here is how failures are told, not how they are avoided; and models are asked many times over.
  defaults,
  ...sections
})

/** Starts it all on free ports. Time is real, and short where the settings say so. */
export const running = (options: RunningOptions = {}): Layer.Layer<Running> =>
  Layer.effect(
    Running,
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const script = `${folder}/script.json`
      yield* files.writeFileString(script, JSON.stringify(options.script ?? []))
      const simulator = yield* simulateServer({
        port: 0,
        script,
        ...(options.replay === undefined ? {} : { replay: options.replay })
      })
      const config = `${folder}/millrace.json`
      const prices = `${folder}/prices.json`
      if (options.prices !== undefined) yield* files.writeFileString(prices, JSON.stringify(options.prices))
      const accounting = options.prices === undefined ? {} : { accounting: { prices } }
      yield* files.writeFileString(config, JSON.stringify({ ...documentFor(simulator.url, options), ...accounting }))
      const configuration = yield* load({ config, host: "127.0.0.1", port: 0 })
      const log: Array<string> = []
      const services = yield* Layer.build(
        Server.layer(allSurfaces).pipe(
          Layer.provide(
            Layer.effect(
              AuditTrail,
              Effect.map(AuditTrail, (audit) => ({ ...audit, ...options.records }))
            )
          ),
          Layer.provideMerge(programLayer(configuration)),
          Layer.provide([
            Layer.succeed(Settings, { ...defaultServerSettings, port: 0, ...options.settings }),
            Layer.succeed(EngineLimits, { maxText: options.maxText ?? 4 * 1024 * 1024 }),
            Layer.succeed(Filters, options.filters ?? []),
            Logger.layer([
              Logger.make(({ cause, message }) => void log.push(`${inspect(message)} ${Cause.pretty(cause)}`))
            ])
          ])
        )
      )
      const { port, url } = Context.get(services, Server)
      const [engine, audit] = [Context.get(services, Engine), Context.get(services, AuditTrail)]
      return { url, port, simulator, log, engine, audit }
    })
  ).pipe(Layer.provide(NodeServices.layer), Layer.orDie)

/** Nobody is shown the inside of the program or a key. */
export const assertDiscreet = (text: string): void => {
  assert.notMatch(text, /\n\s+at .*[:)]\d*|node_modules|\.ts:\d+/)
  for (const secret of Object.values(secrets)) assert.notInclude(text, secret)
}

/** Makes a request to a path of the server. */
export const ask = Effect.fnUntraced(function* (path: string, options: Ask = {}) {
  const { url } = yield* Running
  const seen = yield* askOnce(`${url}${path}`, options)
  assertDiscreet(seen.text + JSON.stringify(seen.headers))
  return seen
})

export const userMessage = { role: "user", content: "Say it back, please." }

type Rest = Omit<Ask, "body">

/** A call in the Chat Completions API; streamed, unless `more` says otherwise. */
export const askChat = (model: string, more: object = {}, rest: Rest = {}) =>
  ask("/v1/chat/completions", { ...rest, body: { model, stream: true, messages: [userMessage], ...more } })

/** A call in the Messages API; streamed, unless `more` says otherwise. */
export const askMessages = (model: string, more: object = {}, rest: Rest = {}) =>
  ask("/v1/messages", {
    ...rest,
    headers: { "anthropic-version": "2023-06-01", ...rest.headers },
    body: { model, stream: true, max_tokens: 1000, messages: [userMessage], ...more }
  })

/** The two APIs, each with a call in it and a request to a path in its words. */
export const dialects = [
  { id: "openai-chat", path: "/v1/chat/completions", ask: askChat, provider: "chat" },
  { id: "anthropic-messages", path: "/v1/messages", ask: askMessages, provider: "messages" }
] as const

/** Waits until something is so. Waiting in vain ends with the time limit of the test. */
export const until = <A, E, R>(look: Effect.Effect<A, E, R>, holds: (found: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.repeat(look, { until: holds, schedule: Schedule.spaced("5 millis") }).pipe(Effect.flatMap(() => look))

export const callIdOf = ({ headers }: Pick<Seen, "headers">): string => {
  const id = headers["x-millrace-call-id"]
  assert.isString(id, "the call was admitted")
  return id as string
}

/** The record of a call, once it has ended. */
export const ended = Effect.fnUntraced(function* (id: string) {
  const { audit } = yield* Running
  const record = yield* until(audit.get(id), (found) => found?.status === "ended")
  return record as CallRecord
})

/** The record of the call that was answered so. */
export const recordOf = (seen: Pick<Seen, "headers">) => ended(callIdOf(seen))

/** Waits until nothing goes on: no call is open, and the simulator has no request in hand. */
export const quiet = Effect.gen(function* () {
  const { engine, simulator } = yield* Running
  yield* until(engine.active, (active) => active === 0)
  yield* until(
    Effect.sync(() => simulator.log.stats().requests.open),
    (open) => open === 0
  )
})

/** The message of an error in either dialect, as a body or as the last frame of a stream. */
export const errorOf = (
  text: string
): { readonly type?: string; readonly code?: unknown; readonly message?: string } => {
  const data = text
    .split(/\r?\n/)
    .findLast((line) => line.includes('"error"'))
    ?.replace(/^data: ?/, "")
  const document = JSON.parse(data ?? text) as { readonly error: object }
  return document.error
}
