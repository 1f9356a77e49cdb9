import { Context, Effect, Fiber, Layer, Logger, Option, Random, Stream } from "effect"
import { TestClock } from "effect/testing"
import { estimateTextTokens } from "../../accounting/TokenEstimate.ts"
import { AuditTrail } from "../../audit/AuditTrail.ts"
import type { Configuration } from "../../config/Configuration.ts"
import { filterLayer, routerLayer } from "../../config/layers.ts"
import type { Call, FinalRecord } from "../../domain/Call.ts"
import { failure } from "../../domain/LlmError.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import { CallObservers } from "../../engine/CallObservers.ts"
import { Engine } from "../../engine/Engine.ts"
import { OpenQuestions } from "../../filters/remote/exchange.ts"
import { Router } from "../../routing/Router.ts"
import { analyze } from "../../signals/analyze.ts"
import { taxonomies } from "../../signals/built-in.ts"
import { conversationIdOf } from "../../signals/conversation-id.ts"
import { makeLexicon } from "../../signals/Lexicon.ts"
import { conversationOf } from "../../signals/Row.ts"
import type { Signal } from "../../signals/Signal.ts"
import { type Memory, noMemory } from "../../signals/Watermark.ts"
import { lengthOf, type Recording, upstreamOf } from "./Recording.ts"

/** How a recorded call went under some configuration. `asked` is what the model was asked, undefined where it was not. */
export interface Replayed {
  readonly record: FinalRecord
  readonly asked: LlmRequest | undefined
  readonly signals: ReadonlyArray<Signal>
  readonly quality: string | undefined
}

/** The recording that the call of this fiber plays. */
const Playing = Context.Reference<Recording | undefined>("millrace/cli/Playing", { defaultValue: () => undefined })

/** The filters that the configuration has for the key that a call came by. */
const filtersOf = ({ call }: Recording, keys: Configuration["auth"]["keys"]): Pick<Call, "filters"> => {
  const { filters } = keys.find(({ name }) => name === call.caller.key) ?? {}
  return filters === undefined ? {} : { filters }
}

const untimed = { connect: 0, firstToken: 0, idle: 0, total: 0 }
const once = { maxAttempts: 1, initialDelay: 0, maxDelay: 0 }

/** Sends every call to its recording, through the filters that the configuration has for its model. */
const replayRouter = (asked: Map<string, LlmRequest>): Layer.Layer<Router, never, Router> =>
  Layer.effect(
    Router,
    Effect.gen(function* () {
      const router = yield* Router
      return Router.of({
        ...router,
        plan: Effect.fnUntraced(function* (model) {
          const recording = yield* Playing
          if (recording === undefined || model !== recording.call.request.model) {
            return yield* failure({ _tag: "NoRoute" }, `No answer of the model ${JSON.stringify(model)} is recorded`)
          }
          const configured = yield* Effect.option(router.plan(model))
          const { filters } = Option.getOrElse(configured, (): { readonly filters?: ReadonlyArray<string> } => ({}))
          const recorded = upstreamOf(recording)
          const upstream = {
            ...recorded,
            stream: (request: Parameters<typeof recorded.stream>[0]) => {
              asked.set(recording.id, request.request)
              return recorded.stream(request)
            }
          }
          return {
            targets: [{ provider: "recording", model, upstream }],
            timeouts: untimed,
            policy: { strategy: "ordered" as const, retry: once, breaker: { failures: 0, openFor: 0, maxOpenFor: 0 } },
            rescue: "off" as const,
            ...(filters === undefined ? {} : { filters })
          }
        })
      })
    })
  )

const noTrail = Layer.succeed(
  AuditTrail,
  AuditTrail.of({
    open: () => Effect.void,
    finalize: () => Effect.void,
    get: () => Effect.undefined,
    tell: () => Effect.succeed([]),
    list: () => Effect.succeed({ data: [], nextCursor: undefined }),
    pages: () => Stream.empty,
    follow: () => Effect.succeed(Stream.empty),
    stats: Effect.succeed({
      queued: 0,
      running: 0,
      opened: 0,
      finalized: 0,
      refused: 0,
      servedUnrecorded: 0,
      endedUnrecorded: 0,
      lost: 0,
      recovered: 0,
      missed: 0
    })
  })
)

/** Calls that ran at the same time run at the same time again; where nothing ran, no time has to pass. */
const clusters = (recordings: ReadonlyArray<Recording>): ReadonlyArray<ReadonlyArray<Recording>> => {
  const found: Array<Array<Recording>> = []
  let end = Number.NEGATIVE_INFINITY
  for (const recording of recordings) {
    if (recording.openedAt > end) found.push([])
    found.at(-1)?.push(recording)
    end = Math.max(end, recording.openedAt + lengthOf(recording))
  }
  return found
}

/** How far the clock goes on at once where filters ask services, in milliseconds: it stands while a question is open. */
const step = 50

/** How long a service may let the clock stand, in real milliseconds; after that its filter's timeout strikes. */
const patience = 10_000

/** Waits for the replies to questions that are under way, which come from outside of the clock. */
const replies = Effect.gen(function* () {
  const open = yield* OpenQuestions
  if (open.count === 0) return
  const turn = TestClock.withLive(Effect.sleep(1))
  for (let waited = 0; open.count > 0 && waited < patience; waited++) yield* turn
  // What a reply lets go on goes on first.
  yield* turn
})

/** Lets so many milliseconds pass. */
const pass = Effect.fnUntraced(function* (millis: number, stepwise: boolean) {
  for (let left = millis; left > 0; left -= step) {
    yield* replies
    yield* TestClock.adjust(stepwise ? Math.min(step, left) : left)
    if (!stepwise) return
  }
})

/** Plays calls on the clock until all have ended, however long their filters keep what was said back. */
const play = Effect.fnUntraced(function* (cluster: ReadonlyArray<Recording>, { auth, filters }: Configuration) {
  const stepwise = Object.values(filters).some(({ kind }) => kind === "http" || kind === "mcp")
  const engine = yield* Engine
  const [first] = cluster
  if (first === undefined) return
  yield* TestClock.setTime(first.openedAt)
  const fibers = yield* Effect.forEach(cluster, (recording) =>
    engine
      .run({ ...recording.call, ...filtersOf(recording, auth.keys) })
      .pipe(
        Effect.provideService(Playing, recording),
        Effect.ignore,
        Effect.delay(recording.openedAt - first.openedAt),
        Effect.forkChild
      )
  )
  const length = Math.max(...cluster.map((recording) => recording.openedAt - first.openedAt + lengthOf(recording)))
  yield* pass(length, stepwise)
  const runs = () => fibers.some((fiber) => fiber.pollUnsafe() === undefined)
  while (runs()) {
    // what waits for something outside of the clock gets its turn first
    yield* TestClock.withLive(Effect.sleep(1))
    yield* replies
    if (runs()) yield* pass(1000, stepwise)
  }
  yield* Fiber.awaitAll(fibers)
})

/** Reads the conversations of replayed calls, in the order in which the calls began. */
const readSignals = (
  { signals: settings }: Configuration,
  recordings: ReadonlyArray<Recording>,
  records: ReadonlyMap<string, FinalRecord>
): ReadonlyMap<string, Pick<Replayed, "signals" | "quality">> => {
  const found = new Map<string, Pick<Replayed, "signals" | "quality">>()
  if (settings === undefined) return found
  const reading = {
    taxonomy: taxonomies[settings.taxonomy ?? "layered"],
    lexicon: makeLexicon(settings.packs ?? [])
  }
  const memories = new Map<string, Memory>()
  for (const { call, id } of recordings) {
    const { continues, key } = conversationIdOf(call)
    const conversation = conversationOf(call.request, records.get(id)?.response)
    const { memory, quality, signals } = analyze(conversation, memories.get(key) ?? noMemory, reading, continues)
    memories.set(key, memory)
    found.set(id, { quality, signals })
  }
  return found
}

/**
 * Replays calls, which are in time order, through the filters and analyzers of a configuration, on a virtual clock that
 * the recorded times advance. The same recordings and configuration always give the same result.
 */
export const replay = Effect.fnUntraced(function* (
  configuration: Configuration,
  recordings: ReadonlyArray<Recording>
): Effect.fn.Return<ReadonlyMap<string, Replayed>> {
  // Loaded now, because the clock of the recordings does not wait for it.
  yield* estimateTextTokens("")
  const records = new Map<string, FinalRecord>()
  const asked = new Map<string, LlmRequest>()
  const observer = {
    name: "replay",
    ended: ({ record }: { readonly record: FinalRecord }) =>
      Effect.map(Playing, (recording) => {
        if (recording !== undefined) records.set(recording.id, record)
      })
  }
  const layer = Engine.layer.pipe(
    Layer.provide(filterLayer(configuration)),
    Layer.provide(replayRouter(asked).pipe(Layer.provide(routerLayer(configuration)))),
    Layer.provide([noTrail, Layer.succeed(CallObservers, [observer])]),
    Layer.provideMerge([TestClock.layer(), Layer.succeed(OpenQuestions, { count: 0 })]),
    // What fails is among the differences.
    Layer.provideMerge(Logger.layer([]))
  )
  yield* Effect.forEach(clusters(recordings), (cluster) => play(cluster, configuration), { discard: true }).pipe(
    Effect.provide(layer),
    Random.withSeed("replay")
  )
  const signals = readSignals(configuration, recordings, records)
  return new Map(
    Array.from(records, ([id, record]) => [
      id,
      { record, asked: asked.get(id), signals: [], quality: undefined, ...signals.get(id) }
    ])
  )
})
