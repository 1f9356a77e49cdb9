import { Context, Effect, Latch, Layer } from "effect"
import { Admission, type Candidate, type Reservation } from "../../src/accounting/Admission.ts"
import { type Count, CountStore } from "../../src/accounting/CountStore.ts"
import * as CountStoreSql from "../../src/accounting/CountStoreSql.ts"
import { Keys } from "../../src/accounting/Keys.ts"
import { KeyStore } from "../../src/accounting/KeyStore.ts"
import { Ledger } from "../../src/accounting/Ledger.ts"
import type { LimitRule } from "../../src/accounting/LimitRules.ts"
import * as Limiter from "../../src/accounting/Limiter.ts"
import { PriceBook, Prices } from "../../src/accounting/PriceBook.ts"
import type { FinalRecord } from "../../src/domain/Call.ts"
import { prompt } from "../../src/domain/prompt.ts"
import type { Usage } from "../../src/domain/Usage.ts"
import { databaseAt } from "../storage/address.ts"

/** A dollar for a million tokens in, ten for a million out: `model` costs 1 and 10 millionths; `asked` also for each request. */
export const prices = new PriceBook({
  version: "test",
  models: {
    model: { input: 1, output: 10 },
    asked: { input: 1, output: 10, request: 0.01 },
    cheap: { input: 0, output: 0.4 },
    tiered: { input: 1, output: 10, above: [{ tokens: 5, input: 2, output: 20 }] },
    parts: { input: 10, cacheWrite: 12, output: 20, reasoning: 40 }
  }
})

/** Limits in this process alone. */
export const limiterInMemory = (rules: ReadonlyArray<LimitRule>) =>
  Limiter.layer({ rules }).pipe(
    Layer.provideMerge(Ledger.layerMemory),
    Layer.provide([CountStore.layerMemory, Layer.provide(Keys.layer(), KeyStore.layerMemory)]),
    Layer.provideMerge(Layer.succeed(Prices, prices))
  )

/** A process of its own that counts in the database at an address. */
export const limiterAt = (address: string, rules: ReadonlyArray<LimitRule>, settings: Limiter.LimiterSettings = {}) =>
  limiterOver(Layer.provide(CountStoreSql.layer, databaseAt(address)), rules, settings)

/** One that counts in a store, and keeps its sums of usage to itself. */
export const limiterOver = <E>(
  store: Layer.Layer<CountStore, E>,
  rules: ReadonlyArray<LimitRule>,
  settings: Limiter.LimiterSettings = {}
) =>
  Layer.fresh(
    Limiter.layer({ ...settings, rules }).pipe(
      Layer.provideMerge(Ledger.layerMemory),
      Layer.provide(store),
      Layer.provide(Layer.provide(Keys.layer(), KeyStore.layerMemory)),
      Layer.provideMerge(Layer.succeed(Prices, prices))
    )
  )

/** What was written by one process that counts in a database; while the latch is closed, writes wait. */
export class Writes extends Context.Service<
  Writes,
  { readonly writes: Array<ReadonlyArray<Count>>; readonly latch: Latch.Latch }
>()("test/accounting/Writes") {}

/** The counts of a database, with a look at what one process writes. */
export const countingWrites = (address: string) =>
  Layer.effectContext(
    Effect.map(CountStore, (store) => {
      const writes: Array<ReadonlyArray<Count>> = []
      const latch = Latch.makeUnsafe(true)
      const counting = CountStore.of({
        ...store,
        write: (owner, counts, claim) => {
          writes.push(counts)
          return latch.whenOpen(store.write(owner, counts, claim))
        }
      })
      return Context.make(CountStore, counting).pipe(Context.add(Writes, { writes, latch }))
    })
  ).pipe(Layer.provide(CountStoreSql.layer), Layer.provide(databaseAt(address)))

/** The admission of a process that lives as long as the scope. */
export const admissionOf = <E, R>(layer: Layer.Layer<Ledger, E, R>) =>
  Effect.map(Effect.orDie(Layer.build(layer)), (services) => Context.get(services, Admission))

/** When candidates ask: in the middle of a minute. */
export const moment = Date.UTC(2026, 10, 21, 12, 0, 30)

/** A call of the key `k` for `model` with room for so many tokens of output. */
export const candidate = (more: Partial<Candidate> = {}, maxOutputTokens = 100): Candidate => {
  const request = prompt("model", "hello")
  return {
    caller: { key: "k" },
    model: "model",
    at: moment,
    targets: [{ provider: "p", model: "model" }],
    request: { ...request, sampling: { maxOutputTokens } },
    ...more
  }
}

/** The record of a call that used so much, in one attempt. */
export const recordOf = (usage: Partial<Usage>, microUsd: number | null = 0): FinalRecord => {
  const used: Usage = { source: "provider", ...usage }
  const cost = { microUsd }
  return {
    id: "call",
    outcome: { _tag: "Completed", finish: "stop", delivered: true },
    target: { provider: "p", model: "model" },
    usage: used,
    cost,
    totalMs: 1,
    upstream: { bytes: 0, frames: 0, events: 0 },
    delivered: { bytes: 0 },
    attempts: [{ provider: "p", model: "model", startedAt: moment, waitedMs: 0, usage: used, cost }],
    notices: []
  }
}

/** How many of so many callers at once get in, and what they were given. */
export const admitted = (
  admission: (typeof Admission)["Service"],
  count: number,
  call: Candidate = candidate()
): Effect.Effect<ReadonlyArray<Reservation>> =>
  Effect.map(
    Effect.forEach(Array.from({ length: count }), () => Effect.option(admission.admit(call)), {
      concurrency: "unbounded"
    }),
    (answers) => answers.flatMap((answer) => (answer._tag === "Some" ? [answer.value] : []))
  )
