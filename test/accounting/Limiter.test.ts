import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Layer, Schedule, Schema, Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ChildProcess } from "effect/process"
import { hash } from "node:crypto"
import { setImmediate } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { LimitRule } from "../../src/accounting/LimitRules.ts"
import { Admission, type Reservation } from "../../src/accounting/Admission.ts"
import { CountStore } from "../../src/accounting/CountStore.ts"
import * as CountStoreSql from "../../src/accounting/CountStoreSql.ts"
import { Ledger } from "../../src/accounting/Ledger.ts"
import type { LlmError } from "../../src/domain/LlmError.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"
import {
  admissionOf,
  admitted,
  candidate,
  countingWrites,
  limiterAt,
  limiterInMemory,
  limiterOver,
  moment,
  recordOf,
  Writes
} from "./limiting.ts"
import { Database } from "../../src/storage/Database.ts"

const inMemory = (...rules: ReadonlyArray<LimitRule>) =>
  Effect.andThen(TestClock.setTime(moment), admissionOf(limiterInMemory(rules)))
const refusal = (effect: Effect.Effect<Reservation, LlmError>) => Effect.flip(effect)

describe("who is admitted", () => {
  it.effect("exactly as many callers as a limit has room for, whatever it counts", () =>
    Effect.gen(function* () {
      const rules: ReadonlyArray<LimitRule> = [
        { key: "*", requests: { minute: 7 } },
        { concurrent: 7 },
        { tenant: "*", tokens: { day: 7 * 106 } },
        { model: "model", outputTokens: { month: 7 * 100 } },
        { key: "k", cost: { total: (7 * 1006) / 1_000_000 } }
      ]
      for (const rule of rules) {
        const admission = yield* inMemory(rule)
        const call = candidate({ caller: { key: "k", tenant: "t" } })
        assert.strictEqual((yield* admitted(admission, 50, call)).length, 7, JSON.stringify(rule))
      }
    }).pipe(Effect.scoped)
  )

  it.effect("all limits together or none: a call that is denied by one takes nothing of the others", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ key: "*", requests: { minute: 10 }, concurrent: 2 })
      const [first, ...others] = yield* admitted(admission, 10)
      assert.strictEqual(others.length, 1)
      const error = yield* refusal(admission.admit(candidate()))
      assert.deepStrictEqual(
        error.limits?.map(({ measure, remaining }) => [measure, remaining]),
        [
          ["requests", 8],
          ["concurrent", 0]
        ]
      )
      first?.settle(recordOf({}))
      assert.strictEqual((yield* admitted(admission, 10)).length, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("each by itself where a rule says so, and whoever a rule is not about without it", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ key: "*", requests: { minute: 2 } }, { tenant: "acme", requests: { day: 3 } })
      const of = (caller: object) => Effect.map(admitted(admission, 9, candidate({ caller })), ({ length }) => length)
      assert.strictEqual(yield* of({ key: "a" }), 2)
      assert.strictEqual(yield* of({ key: "b" }), 2)
      assert.strictEqual(yield* of({}), 9)
      assert.strictEqual(yield* of({ key: "c", tenant: "acme" }), 2)
      assert.strictEqual(yield* of({ key: "d", tenant: "acme" }), 1)
      assert.strictEqual(yield* of({ tenant: "globex" }), 9)
    }).pipe(Effect.scoped)
  )

  it.effect("anew in the next window, and never again once a total is used up", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ key: "*", requests: { minute: 2, total: 3 } })
      for (const reservation of yield* admitted(admission, 9)) reservation.settle(recordOf({}))
      const early = yield* refusal(admission.admit(candidate()))
      assert.deepStrictEqual([early.reason._tag, early.retryAfterMs], ["RateLimited", 30_000])
      assert.include(early.message, 'the key "k" may use 2 requests per minute; try again in 30 s')
      const later = candidate({ at: moment + 30_000 })
      assert.strictEqual((yield* admitted(admission, 9, later)).length, 1)
      yield* TestClock.setTime(moment + 31_000)
      const never = yield* refusal(admission.admit(candidate({ at: moment + 90_000 })))
      assert.strictEqual(never.reason._tag, "QuotaExceeded")
      assert.isUndefined(never.retryAfterMs)
    }).pipe(Effect.scoped)
  )

  it.effect("when the last of several windows has room again", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ requests: { minute: 1, day: 1, month: 1 } })
      yield* admission.admit(candidate())
      const { message, retryAfterMs = 0 } = yield* refusal(admission.admit(candidate()))
      assert.include(message, "may use 1 request per month; try again")
      // To the first of December.
      assert.strictEqual(retryAfterMs, Date.UTC(2026, 11, 1) - moment)
    }).pipe(Effect.scoped)
  )

  it.effect("not before a window is over, where too many calls run at once as well", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ concurrent: 1 }, { requests: { minute: 1 } })
      const running = yield* admission.admit(candidate())
      const error = yield* refusal(admission.admit(candidate()))
      assert.include(error.message, "1 request per minute; try again in 30 s")
      running.settle(recordOf({}))
      assert.strictEqual((yield* refusal(admission.admit(candidate()))).retryAfterMs, 30_000)
      const total = yield* inMemory({ concurrent: 1 }, { requests: { total: 1 } })
      yield* total.admit(candidate())
      assert.isUndefined((yield* refusal(total.admit(candidate()))).retryAfterMs)
    }).pipe(Effect.scoped)
  )

  it.effect("whoever asks for less, where a call has no room in what is left", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ cost: { day: 0.001 } }, { outputTokens: { month: 1000 } })
      yield* admission.admit(candidate({}, 60))
      const error = yield* refusal(admission.admit(candidate({}, 50)))
      const left = "may use 0.001 US dollars per day ($0.000394 left, and the call may come to $0.000506)"
      assert.include(error.message, `${left}; ask for fewer output tokens, or send less, or try again in 43170 s`)
      yield* admission.admit(candidate({}, 30))
    }).pipe(Effect.scoped)
  )

  it.effect("nobody whose call may come to more than the limit ever allows, and they are told so", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ cost: { day: 0.001 } })
      const error = yield* refusal(admission.admit(candidate({}, 200)))
      assert.include(error.message, "ask for fewer output tokens")
      assert.isUndefined(error.retryAfterMs)
      yield* admission.admit(candidate({}, 50))
      const terse = yield* inMemory({ inputTokens: { day: 5 } })
      const { message } = yield* refusal(terse.admit(candidate({}, 200)))
      assert.match(message, /may use 5 input tokens per day; send less$/)
    }).pipe(Effect.scoped)
  )
})

describe("what was reserved", () => {
  it.effect("gives way to what was used, into the window of the admission, once", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ tokens: { minute: 1000 } })
      const reservation = yield* admission.admit(candidate({}, 500))
      assert.strictEqual(reservation.states?.(moment)[0]?.remaining, 494)
      for (let times = 0; times < 3; times++) reservation.settle(recordOf({ inputTokens: 20, outputTokens: 80 }))
      const next = yield* admission.admit(candidate({ at: moment + 1000 }, 500))
      assert.strictEqual(next.states?.(moment)[0]?.remaining, 1000 - 100 - 506)
    }).pipe(Effect.scoped)
  )

  it.effect("is let go of where nobody was asked, and where the call never began", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ requests: { total: 1 } })
      const [never] = yield* admitted(admission, 1)
      never?.settle(undefined)
      const [refused] = yield* admitted(admission, 1)
      refused?.settle({ ...recordOf({}), attempts: [] })
      const [used] = yield* admitted(admission, 1)
      used?.settle(recordOf({}))
      assert.deepStrictEqual(yield* admitted(admission, 1), [])
    }).pipe(Effect.scoped)
  )

  it.effect(
    "grows with an answer that outgrows it, and ends the answer where that is wanted and there is no room",
    () =>
      Effect.gen(function* () {
        const admission = yield* inMemory(
          { key: "stops", stopStreams: true, outputTokens: { day: 1000 } },
          { key: "goes-on", outputTokens: { day: 1000 } }
        )
        const of = (key: string) => admission.admit(candidate({ caller: { key } }, 100))
        const stops = yield* of("stops")
        // a caller who says how long an answer may be has it in full, however long its words are
        assert.isUndefined(stops.exceeds?.(800))
        assert.strictEqual(stops.states?.(moment)[0]?.remaining, 900)
        assert.isUndefined(stops.exceeds?.(1500))
        assert.strictEqual(stops.states?.(moment)[0]?.remaining, 1000 - 100 - 256)
        // all that is left is used before the answer is ended
        assert.isUndefined(stops.exceeds?.(800 + 900 * 4))
        assert.strictEqual(stops.states?.(moment)[0]?.remaining, 0)
        assert.strictEqual(stops.exceeds?.(800 + 900 * 4 + 1), "tokens")
        const goesOn = yield* of("goes-on")
        assert.isUndefined(goesOn.exceeds?.(8000))
        assert.strictEqual(goesOn.states?.(moment)[0]?.remaining, 0)
        goesOn.settle(recordOf({ outputTokens: 2000 }))
        assert.strictEqual(goesOn.states?.(moment)[0]?.remaining, 0)
      }).pipe(Effect.scoped)
  )

  it.effect("has the price of a request in it once, however long the answer becomes", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ cost: { day: 0.1 }, stopStreams: true })
      const targets = [{ provider: "p", model: "asked" }]
      const reservation = yield* admission.admit(candidate({ targets }, 100))
      const reserved = 10_000 + 6 + 100 * 10
      assert.strictEqual(reservation.states?.(moment)[0]?.remaining, 100_000 - reserved)
      assert.isUndefined(reservation.exceeds?.(800 + 8 * 1024))
      assert.strictEqual(reservation.states?.(moment)[0]?.remaining, 100_000 - reserved - 8 * 256 * 10)
    }).pipe(Effect.scoped)
  )

  it.effect(
    "ends an answer of a model whose tokens cost less than a millionth of a dollar, by the price of all of it",
    () =>
      Effect.gen(function* () {
        const admission = yield* inMemory({ cost: { day: 0.001 }, stopStreams: true })
        const cheap = yield* admission.admit(candidate({ targets: [{ provider: "p", model: "cheap" }] }, 1000))
        // A thousand tokens are 400 millionths; the 600 that are left are 1,500 more, and then the first that costs one.
        assert.isUndefined(cheap.exceeds?.(8000 + 4 * 1500))
        assert.strictEqual(cheap.exceeds?.(8000 + 4 * 1504), "cost")
        const long = yield* inMemory({ cost: { day: 0.01 }, stopStreams: true })
        const tiered = yield* long.admit(candidate({ targets: [{ provider: "p", model: "tiered" }] }, 100))
        assert.strictEqual(tiered.states?.(moment)[0]?.remaining, 10_000 - 2000 - 12)
        // All of the answer is dearer where the request is long.
        assert.isUndefined(tiered.exceeds?.(800 + 4 * 256))
        assert.strictEqual(tiered.states?.(moment)[0]?.remaining, 10_000 - 2000 - 12 - 256 * 20)
      }).pipe(Effect.scoped)
  )

  it.effect("is as much as the dearest kind of tokens would be, and what is said of tools is among them", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ cost: { day: 1 } }, { inputTokens: { day: 100_000 } })
      const targets = [{ provider: "p", model: "parts" }]
      const left = (reservation: Reservation) => reservation.states?.(moment).map(({ remaining }) => remaining)
      const plain = yield* admission.admit(candidate({ targets }, 100))
      assert.deepStrictEqual(left(plain), [1_000_000 - 6 * 12 - 100 * 40, 100_000 - 6])
      plain.settle(undefined)
      const { request } = candidate({}, 100)
      if (!("messages" in request)) return assert.fail("not a request for text")
      const tools = [{ _tag: "Function" as const, name: "tool", description: "what it is for".repeat(400) }]
      const agent = yield* admission.admit(candidate({ targets, request: { ...request, tools } }, 100))
      assert.strictEqual(left(agent)?.[1], 100_000 - 7 - 1400)
      agent.settle(undefined)
      // Some take no answers for one.
      const sampling = { maxOutputTokens: 100, choices: 0 }
      const one = yield* admission.admit(candidate({ targets, request: { ...request, sampling } }))
      assert.strictEqual(left(one)?.[0], 1_000_000 - 6 * 12 - 100 * 40)
    }).pipe(Effect.scoped)
  )

  it.effect("is not asked for by calls that Millrace makes on behalf of another, which count all the same", () =>
    Effect.gen(function* () {
      const admission = yield* inMemory({ concurrent: 1, requests: { day: 1 }, tokens: { day: 200 } })
      yield* admission.admit(candidate())
      const inner = yield* admission.admit(candidate({ askedBy: "call_1" }))
      inner.settle(recordOf({ inputTokens: 10, outputTokens: 50 }))
      const error = yield* refusal(admission.admit(candidate()))
      assert.strictEqual(error.limits?.find(({ measure }) => measure === "tokens")?.remaining, 200 - 106 - 60)
    }).pipe(Effect.scoped)
  )
})

const Spending = Schema.Struct({
  input: Schema.Natural.check(Schema.isLessThan(300)),
  output: Schema.Natural.check(Schema.isLessThan(300)),
  cost: Schema.NullOr(Schema.Natural.check(Schema.isLessThan(3000))),
  ending: Schema.Literals(["answered", "nobody asked", "never began", "still running"])
})

describe("budgets", () => {
  it.effect.prop(
    "are never overshot by calls that keep to what they reserved, however they come and end",
    [Schema.Array(Spending).check(Schema.isMaxLength(60))],
    ([spendings]) =>
      Effect.gen(function* () {
        const limits = { tokens: 2000, cost: 12_000 }
        const admission = yield* inMemory({
          tokens: { day: limits.tokens },
          cost: { month: limits.cost / 1_000_000 }
        })
        const used = { tokens: 0, cost: 0 }
        const open: Array<Effect.Effect<void>> = []
        for (const { cost, ending, input, output } of spendings) {
          const asked = candidate({}, output)
          const admitted = yield* Effect.option(admission.admit(asked))
          if (admitted._tag === "None") continue
          const reservation = admitted.value
          // What it reserved: 6 tokens in, so many out.
          const tokens = Math.min(input, 6) + output
          const spent = Math.min(cost ?? 0, 6 + 10 * output)
          const end = Effect.sync(() => {
            reservation.settle(recordOf({ inputTokens: tokens - output, outputTokens: output }, spent))
            used.tokens += tokens
            used.cost += spent
          })
          if (ending === "answered") yield* end
          else if (ending === "still running") open.push(end)
          else reservation.settle(undefined)
          assert.isAtMost(used.tokens, limits.tokens)
          assert.isAtMost(used.cost, limits.cost)
        }
        yield* Effect.all(open)
        assert.isAtMost(used.tokens, limits.tokens)
        assert.isAtMost(used.cost, limits.cost)
      }).pipe(Effect.scoped)
  )
})

describe("the books", () => {
  it.effect.prop(
    "are equal to the sum of the records, whichever way calls end",
    [Schema.Array(Spending).check(Schema.isMaxLength(30))],
    ([spendings]) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(moment)
        const rules: ReadonlyArray<LimitRule> = [
          { key: "*", requests: { total: 1000 }, tokens: { total: 1e9 }, cost: { total: 1000 }, concurrent: 1000 }
        ]
        const services = yield* Layer.build(limiterInMemory(rules))
        const admission = Context.get(services, Admission)
        const ledger = Context.get(services, Ledger)
        const sum = { requests: 0, tokens: 0, cost: 0, concurrent: 0 }
        let held = 0
        for (const { cost, ending, input, output } of spendings) {
          const reservation = yield* admission.admit(candidate({}, 100))
          if (ending === "still running") {
            sum.concurrent++
            held++
            continue
          }
          const record = recordOf({ inputTokens: input, outputTokens: output }, cost)
          if (ending === "never began") reservation.settle(undefined)
          if (ending === "nobody asked") reservation.settle({ ...record, attempts: [] })
          if (ending !== "answered") continue
          reservation.settle(record)
          sum.requests++
          sum.tokens += input + output
          sum.cost += cost ?? 0
        }
        const last = yield* admission.admit(candidate({}, 100))
        const left = new Map(last.states?.(moment).map(({ limit, measure, remaining }) => [measure, limit - remaining]))
        assert.strictEqual(left.get("requests"), sum.requests + held + 1)
        assert.strictEqual(left.get("concurrent"), sum.concurrent + 1)
        assert.strictEqual(left.get("tokens"), sum.tokens + (held + 1) * 106)
        assert.strictEqual(left.get("cost"), sum.cost + (held + 1) * 1006)
        const { total } = yield* ledger.report({ by: [] })
        assert.strictEqual(total.inputTokens + total.outputTokens, sum.tokens)
        assert.strictEqual(total.microUsd, sum.cost)
      }).pipe(Effect.scoped)
  )
})

const contender = fileURLToPath(new URL("contender-program.ts", import.meta.url))

/** How often one caller after the other is admitted, each with a pause after it in which others have their turn. */
const useUp = (admission: (typeof Admission)["Service"]): Effect.Effect<number> =>
  Effect.matchEffect(admission.admit(candidate()), {
    onFailure: () => Effect.succeed(0),
    onSuccess: (reservation) =>
      Effect.andThen(
        Effect.andThen(
          Effect.sync(() => reservation.settle(recordOf({ outputTokens: 1 }))),
          Effect.promise(() => setImmediate())
        ),
        Effect.map(useUp(admission), (count) => count + 1)
      )
  })

describeDatabases("limits that several processes share", (kind) => {
  const rules: ReadonlyArray<LimitRule> = [{ key: "*", requests: { total: 60 }, tokens: { total: 1e9 } }]

  it.live("admit exactly as many callers as there is room for, wherever they ask", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const admissions = yield* Effect.forEach([1, 2, 3, 4], () => admissionOf(limiterAt(address, rules)))
      const found = yield* Effect.forEach(admissions, (admission) => admitted(admission, 40), {
        concurrency: "unbounded"
      })
      assert.strictEqual(found.flat().length, 60)
      // Whoever lets go makes room for whoever asks elsewhere.
      for (const reservation of found.flat().slice(0, 5)) reservation.settle(undefined)
      const [first, second] = admissions
      const again = Effect.gen(function* () {
        const more = yield* Effect.forEach([first!, second!], (admission) => admitted(admission, 10), {
          concurrency: "unbounded"
        })
        return more.flat().length
      })
      let more = 0
      while (more < 5) more += yield* again
      assert.strictEqual(more, 5)
    }).pipe(Effect.scoped)
  )

  it.live("keep what was used when a process ends, and let go of what it held", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const scope = yield* Scope.make()
      const ending = yield* Scope.provide(admissionOf(limiterAt(address, rules)), scope)
      const held = yield* admitted(ending, 50)
      for (const reservation of held.slice(0, 20)) reservation.settle(recordOf({ outputTokens: 10 }))
      yield* Scope.close(scope, Exit.void)
      const admission = yield* admissionOf(limiterAt(address, rules))
      assert.strictEqual((yield* admitted(admission, 100)).length, 40)
    }).pipe(Effect.scoped)
  )

  it.live("let go of what a process held that is not heard of any more, which goes on under another name", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const silent = yield* admissionOf(limiterAt(address, rules))
      const held = yield* admitted(silent, 50)
      for (const reservation of held.slice(0, 20)) reservation.settle(recordOf({ outputTokens: 10 }))
      const services = yield* Layer.build(databaseAt(address))
      const { batch, query } = Context.get(services, Database)
      const used = query("select coalesce(sum(used), 0) as used from accounting_counters where id like '%requests%'")
      yield* Effect.repeat(used, { until: ([row]) => Number(row?.["used"]) === 20 })
      yield* batch([{ sql: "update accounting_owners set heartbeat_at = 0", params: [] }])
      const living = yield* admissionOf(limiterAt(address, rules))
      // Its first heartbeat buries the silent one.
      const owners = query("select id from accounting_owners where heartbeat_at = 0")
      yield* Effect.repeat(owners, { until: (rows) => rows.length === 0 })
      const [one] = yield* admitted(living, 1)
      assert.isDefined(one)
      one?.settle(undefined)
      // It is told with its next write that it counts as dead, and enters anew with what it still holds.
      for (const reservation of held.slice(20, 25)) reservation.settle(recordOf({ outputTokens: 10 }))
      yield* admitted(silent, 1)
      yield* Effect.repeat(used, { until: ([row]) => Number(row?.["used"]) === 25 })
      assert.strictEqual((yield* admitted(living, 100)).length, 60 - 25 - 25 - 1)
    }).pipe(Effect.scoped)
  )

  it.live("let nobody lapse whose clock goes after that of others, until nothing is heard of it", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const storeAt = Effect.map(
        Layer.build(Layer.fresh(Layer.provide(CountStoreSql.layer, databaseAt(address)))),
        (services) => Context.get(services, CountStore)
      )
      const [slow, fast] = yield* Effect.all([storeAt, storeAt])
      const key = { id: "calls", start: 0 }
      const now = yield* Clock.currentTimeMillis
      const ahead = 60_000
      yield* slow.enter("slow", now)
      yield* slow.write("slow", [{ ...key, end: Infinity, used: 0, held: 1, max: 1 }], false)
      yield* fast.enter("fast", now + ahead)
      /** What the one whose clock goes before sees of the other, after its heartbeat. */
      const heldAfter = (seconds: number) =>
        Effect.andThen(fast.beat("fast", now + ahead + seconds * 1000), fast.others("fast", [key]))
      for (let seconds = 0; seconds < 40; seconds += 5) {
        yield* slow.beat("slow", now + seconds * 1000)
        assert.deepStrictEqual(yield* heldAfter(seconds), [1])
      }
      for (const seconds of [40, 45, 50]) assert.deepStrictEqual(yield* heldAfter(seconds), [1])
      // Held up itself for a while, it gives the other time.
      assert.deepStrictEqual(yield* heldAfter(100), [1])
      for (const seconds of [105, 110, 115]) assert.deepStrictEqual(yield* heldAfter(seconds), [1])
      assert.deepStrictEqual(yield* heldAfter(120), [0])
    }).pipe(Effect.scoped)
  )

  it.live("count for whatever somebody is called, and however long that is", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const admission = yield* admissionOf(limiterAt(address, [{ tenant: "*", model: "*", requests: { day: 2 } }]))
      const long = (seed: string) =>
        Array.from({ length: 80 }, (_, index) => hash("sha256", `${seed}${index}`)).join("")
      for (const [tenant, model] of [
        ["a\ud800", "half of a character"],
        ["Zürich", "\u0000"],
        [long("tenant"), long("model")],
        [long("tenant"), long("another")]
      ] as const) {
        const call = candidate({ caller: { tenant }, model })
        assert.strictEqual((yield* admitted(admission, 5, call)).length, 2, model.slice(0, 20))
      }
    }).pipe(Effect.scoped)
  )

  it.live("hold in a window that has begun for others already, whose clocks go before", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const minute: ReadonlyArray<LimitRule> = [{ requests: { minute: 5 } }]
      const inNext = candidate({ at: moment + 40_000 })
      const ahead = yield* Scope.make()
      const before = yield* Scope.provide(admissionOf(limiterAt(address, minute)), ahead)
      for (const reservation of yield* admitted(before, 3, inNext)) reservation.settle(recordOf({}))
      yield* Scope.close(ahead, Exit.void)
      const live = yield* Clock.Clock
      const slow: Clock.Clock = Object.assign(Object.create(live) as Clock.Clock, {
        currentTimeMillisUnsafe: () => moment
      })
      const after = yield* Effect.provideService(admissionOf(limiterAt(address, minute)), Clock.Clock, slow)
      // It finds itself alone in the minute before.
      for (let calls = 0; calls < 2; calls++) yield* after.admit(candidate())
      assert.strictEqual((yield* admitted(after, 5, inNext)).length, 2)
    }).pipe(Effect.scoped)
  )

  it.live("take nothing for whoever leaves while it is asked for", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const admission = yield* admissionOf(limiterAt(address, rules))
      const leaving = yield* Effect.forEach(Array.from({ length: 40 }), () =>
        Effect.forkChild(admission.admit(candidate()), { startImmediately: true })
      )
      yield* Effect.forEach(leaving, Fiber.interrupt)
      let found = 0
      while (found < 60) found += (yield* admitted(admission, 60)).length
      assert.strictEqual(found, 60)
    }).pipe(Effect.scoped)
  )

  it.live("hold for whoever comes while another decides alone, until it has written what it decided", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const counting = yield* Layer.build(countingWrites(address))
      const alone = Context.get(yield* Layer.build(limiterOver(Layer.succeedContext(counting), rules)), Admission)
      const { latch, writes } = Context.get(counting, Writes)
      // It finds that it is alone, and that nothing was used before.
      for (let calls = 0; calls < 2; calls++) yield* alone.admit(candidate())
      yield* latch.close
      const before = writes.length
      assert.strictEqual((yield* admitted(alone, 50)).length, 50)
      yield* Effect.repeat(
        Effect.sync(() => writes.length),
        { until: (length) => length > before, schedule: Schedule.spaced("5 millis") }
      )
      assert.strictEqual((yield* admitted(alone, 8)).length, 8)
      const joining = yield* admissionOf(limiterAt(address, rules))
      const asking = yield* Effect.forkChild(admitted(joining, 5), { startImmediately: true })
      yield* Effect.sleep("100 millis")
      yield* latch.open
      assert.strictEqual((yield* Fiber.join(asking)).length, 0)
    }).pipe(Effect.scoped)
  )

  it.live("hold while a process that decided alone is joined by others", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const many: ReadonlyArray<LimitRule> = [{ key: "*", requests: { total: 6000 }, concurrent: 1000 }]
      /** Admits and settles one call after the other until there is no room, in several fibers. */
      const use = Effect.flatMap(admissionOf(limiterAt(address, many)), (admission) =>
        Effect.map(
          Effect.all(
            Array.from({ length: 16 }, () => useUp(admission)),
            { concurrency: "unbounded" }
          ),
          (counts) => counts.reduce((sum, count) => sum + count, 0)
        )
      )
      const found = yield* Effect.forEach([0, 30, 60, 200], (delay) => Effect.delay(use, delay), {
        concurrency: "unbounded"
      })
      assert.strictEqual(
        found.reduce((sum, count) => sum + count, 0),
        6000
      )
    }).pipe(Effect.scoped)
  )

  it.live("cost a process nothing that is alone, after its first look", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      yield* Effect.scoped(
        Effect.flatMap(admissionOf(limiterAt(address, rules)), (admission) =>
          Effect.map(admitted(admission, 3), ([one]) => one?.settle(recordOf({ outputTokens: 1 })))
        )
      )
      const counting = yield* Layer.build(countingWrites(address))
      const admission = Context.get(yield* Layer.build(limiterOver(Layer.succeedContext(counting), rules)), Admission)
      const { writes } = Context.get(counting, Writes)
      // It finds that it is alone, and what the process before has used.
      yield* admitted(admission, 1)
      yield* admitted(admission, 1)
      const before = writes.length
      const found = yield* admitted(admission, 100)
      assert.strictEqual(found.length, 57)
      // What was decided is written once, if it was at all by now.
      assert.isAtMost(writes.length, before + 1)
      for (const reservation of found) reservation.settle(recordOf({ outputTokens: 1 }))
      yield* Effect.repeat(
        Effect.sync(() => writes.at(-1)),
        { until: (last) => last?.some(({ used }) => used === 57) ?? false, schedule: Schedule.spaced("5 millis") }
      )
    }).pipe(Effect.scoped)
  )

  it.live(
    "let go at once of what a process held that was killed",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        const neighbour = yield* admissionOf(limiterAt(address, [{ key: "*", requests: { total: 50 } }]))
        const child = yield* ChildProcess.make(process.execPath, [contender, address, "50", "50", "stay"])
        const [said] = yield* Stream.runCollect(Stream.take(Stream.decodeText(child.stdout), 1))
        assert.strictEqual(Number(said), 50)
        assert.strictEqual((yield* admitted(neighbour, 1)).length, 0)
        yield* child.kill({ killSignal: "SIGKILL" })
        assert.strictEqual((yield* admitted(neighbour, 50)).length, 50)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    30_000
  )

  it.live(
    "do not wait for a process that was killed while it decided alone",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        const child = yield* ChildProcess.make(process.execPath, [contender, address, "50", "50", "stay"])
        yield* Stream.runCollect(Stream.take(Stream.decodeText(child.stdout), 1))
        yield* child.kill({ killSignal: "SIGKILL" })
        const services = yield* Layer.build(databaseAt(address))
        const { query } = Context.get(services, Database)
        const [left] = yield* query("select count(*) as owners, sum(claimed) as claimed from accounting_owners")
        assert.deepStrictEqual([Number(left?.["owners"]), Number(left?.["claimed"])], [1, 1])
        const next = yield* admissionOf(limiterAt(address, [{ key: "*", requests: { total: 50 } }]))
        assert.strictEqual((yield* admitted(next, 60)).length, 50)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    30_000
  )

  it.live("leave one row for each window, however many processes there were, and none for windows long over", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const bounds: ReadonlyArray<LimitRule> = [{ key: "*", requests: { total: 60, minute: 1000 } }]
      const long = candidate({ at: Date.UTC(2020, 0, 1) })
      const one = Effect.scoped(
        Effect.flatMap(admissionOf(limiterAt(address, bounds)), (admission) =>
          Effect.map(admitted(admission, 3, long), (found) => {
            for (const reservation of found) reservation.settle(recordOf({ outputTokens: 1 }))
          })
        )
      )
      for (let starts = 0; starts < 3; starts++) yield* Effect.all([one, one], { concurrency: "unbounded" })
      const services = yield* Layer.build(databaseAt(address))
      const { query } = Context.get(services, Database)
      const rows = yield* query("select id, owner, used, held from accounting_counters")
      assert.deepStrictEqual(
        rows
          .filter(({ id }) => String(id).endsWith("|total"))
          .map(({ held, owner, used }) => [owner, Number(used), Number(held)]),
        [["", 18, 0]]
      )
      const admission = yield* admissionOf(limiterAt(address, bounds))
      assert.strictEqual((yield* admitted(admission, 60, long)).length, 60 - 18)
      const minutes = query("select id from accounting_counters where id like '%|minute' and owner = ''")
      yield* Effect.repeat(minutes, { until: (found) => found.length === 0, schedule: Schedule.spaced("20 millis") })
    }).pipe(Effect.scoped)
  )

  it.live(
    "hold over processes of the operating system",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        const contend = Effect.scoped(
          Effect.flatMap(ChildProcess.make(process.execPath, [contender, address, "40", "50"]), (child) =>
            Effect.map(Stream.mkString(Stream.decodeText(child.stdout)), Number)
          )
        )
        const found = yield* Effect.all([contend, contend, contend], { concurrency: "unbounded" })
        assert.strictEqual(
          found.reduce((sum, count) => sum + count, 0),
          50
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    30_000
  )
})
