import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { AuditStore } from "../../../src/audit/AuditStore.ts"
import * as AuditStoreMemory from "../../../src/audit/AuditStoreMemory.ts"
import * as AuditStoreSql from "../../../src/audit/AuditStoreSql.ts"
import { type AuditSettings, AuditTrail } from "../../../src/audit/AuditTrail.ts"
import type { CaptureLevel } from "../../../src/audit/Capture.ts"
import { type CallRecord, finalRow, openedRow } from "../../../src/audit/CallRecord.ts"
import { mostEventsRead } from "../../../src/audit/events/EventStore.ts"
import { OutsideRecord } from "../../../src/audit/events/RunRecord.ts"
import type { OpenRecord } from "../../../src/domain/Call.ts"
import type { LlmError } from "../../../src/domain/LlmError.ts"
import type { StorageError } from "../../../src/storage/Database.ts"
import { databaseAt } from "../../storage/address.ts"
import { describeDatabases, freshDatabase, type Kind } from "../../storage/databases.ts"
import { finalRecord, openRecord } from "../records.ts"
import { admin, anyone, ci, known, story, tell } from "./telling.ts"

const open = (id: string, more: Partial<OpenRecord> = {}) =>
  AuditTrail.use((trail) => trail.open(openRecord(id, { caller: {}, ...more })))
const end = (id: string) => AuditTrail.use((trail) => trail.finalize(finalRecord(id)))

const outsideKeys = Object.keys(OutsideRecord.fields)

/** What a record says that was told from outside. */
const outsideOf = (id: string) =>
  Effect.map(
    AuditTrail.use((trail) => trail.get(id)),
    (record: CallRecord | undefined) =>
      Object.fromEntries(Object.entries(record ?? {}).filter(([key]) => outsideKeys.includes(key)))
  )

/** The same order for the same seed. */
const shuffled = <A>(items: ReadonlyArray<A>, seed: ReadonlyArray<number>): ReadonlyArray<A> =>
  items
    .map((item, index) => ({ item, weight: seed[index % seed.length] ?? 0, index }))
    .toSorted((one, other) => one.weight - other.weight || other.index - one.index)
    .map(({ item }) => item)

/** Events of a time that has not come are refused. */
const now = Date.UTC(2026, 10, 21)

const row = { owner: "", hash: "h", call: "a", run: null, at: null, receivedAt: 0, body: "{}" }

const score = { type: "score", name: "useful", value: 1 }

const testTelling = (store: Layer.Layer<AuditStore>) => {
  const trail = (settings: AuditSettings = {}) =>
    AuditTrail.layer({ durability: "strict", ...settings }).pipe(
      Layer.provideMerge(store),
      Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(now)))
    )

  it.effect("makes of all that was told what is known", () =>
    Effect.gen(function* () {
      yield* open("a")
      assert.deepStrictEqual(
        yield* tell(story("a")),
        Array.from(story("a"), () => undefined)
      )
      assert.deepEqual(yield* outsideOf("a"), known("a") as never)
      yield* open("b")
      assert.deepStrictEqual(yield* outsideOf("b"), {})
    }).pipe(Effect.provide(trail()))
  )

  it.effect("keeps an event once, however often it comes, and in whatever order its keys stand", () =>
    Effect.gen(function* () {
      yield* open("a")
      const event = { id: "1", ...score, call: "a", comment: "{}" }
      const reversed = Object.fromEntries(Object.entries(event).toReversed())
      assert.deepStrictEqual(yield* tell([event, event, reversed]), [undefined, undefined, undefined])
      assert.deepStrictEqual(yield* tell([reversed]), [undefined])
      assert.lengthOf((yield* AuditTrail.use((trail) => trail.get("a")))?.scores ?? [], 1)
    }).pipe(Effect.provide(trail()))
  )

  it.effect("refuses another content under an id that is taken, by itself", () =>
    Effect.gen(function* () {
      yield* open("a")
      const event = { id: "1", ...score, call: "a" }
      yield* tell([event])
      const verdicts = yield* tell([
        { ...event, value: 2 },
        { ...event, id: "2" },
        event,
        {},
        { ...event, id: "2", value: 3 }
      ])
      assert.deepStrictEqual(verdicts, ["conflict", undefined, undefined, "invalid", "conflict"])
      const record = yield* AuditTrail.use((trail) => trail.get("a"))
      assert.deepStrictEqual(
        record?.scores?.map(({ id, value }) => [id, value]),
        [
          ["1", 1],
          ["2", 1]
        ]
      )
    }).pipe(Effect.provide(trail()))
  )

  it.effect("answers many senders at once, each about its own", () =>
    Effect.gen(function* () {
      yield* open("a")
      const answers = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, n) => n),
        (n) => tell([{ id: `${n % 20}`, ...score, call: "a", value: n % 40 }, ...(n % 3 === 0 ? [{}] : [])]),
        { concurrency: "unbounded" }
      )
      for (const [n, answer] of answers.entries()) {
        assert.lengthOf(answer, n % 3 === 0 ? 2 : 1)
        assert.strictEqual(answer[0], n % 40 < 20 ? undefined : "conflict", String(n))
      }
      const record = yield* AuditTrail.use((trail) => trail.get("a"))
      assert.lengthOf(record?.scores ?? [], 20)
    }).pipe(Effect.provide(trail()))
  )

  it.effect("lets a key tell of its own calls only, and shows no other key what one told", () =>
    Effect.gen(function* () {
      yield* open("of-ci", { caller: { key: "ci" } })
      yield* open("of-cd", { caller: { key: "cd" } })
      yield* open("of-nobody")
      const about = (call: string) => ({ id: `about ${call}`, ...score, call })
      assert.deepStrictEqual(yield* tell([about("of-ci"), about("of-cd"), about("of-nobody"), about("later")], ci), [
        undefined,
        "forbidden",
        "forbidden",
        undefined
      ])
      // it could not be known yet whose it would be
      yield* open("later", { caller: { key: "cd" } })
      assert.deepStrictEqual(yield* outsideOf("later"), {})
      assert.deepNestedPropertyVal(yield* outsideOf("of-ci"), "scores[0].by", "ci")
      // the same run, told of by the key, by another key, and by the administrator
      const run = { type: "run", run: "r" }
      yield* tell([{ id: "1", ...run, name: "mine", call: "of-ci" }], ci)
      yield* tell([{ id: "1", ...run, name: "yours", output: 1 }], { owner: "cd", onlyOwnCalls: true })
      yield* tell([{ id: "1", ...score, run: "r" }], admin)
      const { runs } = yield* outsideOf("of-ci")
      assert.deepEqual(runs, [
        {
          id: "r",
          name: "mine",
          calls: ["of-ci"],
          steps: [],
          scores: [{ id: "1", name: "useful", value: 1, by: "admin" }]
        }
      ] as never)
    }).pipe(Effect.provide(trail()))
  )

  it.effect("shows so many events, and says that there are more", () =>
    Effect.gen(function* () {
      yield* open("a")
      const notes = Array.from({ length: mostEventsRead + 1 }, (_, n) => ({
        id: String(n),
        type: "note",
        call: "a",
        name: "n",
        at: Date.UTC(2026) + n
      }))
      yield* tell(notes.slice(0, mostEventsRead))
      assert.notProperty(yield* outsideOf("a"), "moreEvents")
      yield* tell(notes)
      const record = yield* AuditTrail.use((trail) => trail.get("a"))
      assert.isTrue(record?.moreEvents)
      assert.deepStrictEqual(
        record?.notes?.map(({ id }) => id),
        notes.slice(0, mostEventsRead).map(({ id }) => id)
      )
    }).pipe(Effect.provide(trail()))
  )

  it.effect("keeps of what people said what is to be captured, and knows it when it comes again", () =>
    Effect.gen(function* () {
      const events = [
        { id: "1", ...score, call: "a", comment: "secret" },
        { id: "2", type: "run", run: "r", call: "a", input: "secret", output: { secret: 1 }, error: "secret" },
        { id: "3", type: "note", call: "a", name: "n", data: "secret" }
      ]
      const own = (level: CaptureLevel) => new Map([["private", { level, maxBytes: 1000 }]])
      for (const settings of [
        { capture: "off" },
        { capture: "metadata" },
        { capture: "off", modelCapture: own("full") },
        { capture: "full", modelCapture: own("metadata") },
        { capture: "full", modelCapture: own("off") }
      ] as const) {
        const keepsFingerprint =
          settings.capture === "metadata" || settings.modelCapture?.get("private")?.level === "metadata"
        yield* Effect.gen(function* () {
          yield* open("a")
          assert.deepStrictEqual(
            yield* tell([...events, ...events]),
            Array.from({ length: 6 }, () => undefined)
          )
          const outside = yield* outsideOf("a")
          assert.notInclude(JSON.stringify(outside), "secret")
          assert.deepNestedPropertyVal(outside, "scores[0].value", 1)
          const other = yield* tell([{ ...events[0], comment: "another" }])
          assert.deepStrictEqual(other, [keepsFingerprint ? "conflict" : undefined])
        }).pipe(Effect.provide(Layer.fresh(trail(settings))))
      }
    })
  )

  it.effect("takes out what a program takes out, or all where that fails", () =>
    Effect.gen(function* () {
      yield* open("a")
      const event = { id: "1", ...score, call: "a", comment: "secret" }
      assert.deepStrictEqual(yield* tell([event, event, { ...event, id: "2", comment: "fail" }]), [
        undefined,
        undefined,
        undefined
      ])
      const record = yield* AuditTrail.use((trail) => trail.get("a"))
      assert.deepStrictEqual(
        record?.scores?.map(({ comment }) => comment),
        ["[gone]", undefined]
      )
    }).pipe(
      Effect.provide(
        trail({
          redact: {
            event: (content) => {
              if (content.comment === "fail") throw new Error("cannot")
              return { ...content, comment: "[gone]" }
            }
          }
        })
      )
    )
  )

  it.effect("goes by the retention of records", () =>
    Effect.gen(function* () {
      yield* open("a", { openedAt: now })
      yield* tell([{ id: "1", ...score, call: "a" }])
      yield* TestClock.adjust("30 minutes")
      assert.property(yield* outsideOf("a"), "scores")
      yield* TestClock.adjust("30 minutes")
      // a round takes its time: when the next one begins is not known
      const left = Effect.andThen(TestClock.adjust("1 minute"), outsideOf("a"))
      yield* Effect.repeat(left, { until: ({ scores }) => scores === undefined })
    }).pipe(Effect.provide(trail({ retention: { maxAge: Duration.hours(1) } })))
  )

  it.effect("leaves nobody waiting when it is closed", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(trail()), scope)
      const { tell } = Context.get(context, AuditTrail)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(tell([{ id: "1", ...score, call: "a" }], anyone))
      assert.isTrue(error.retryable)
    })
  )

  it.effect("removes what came before the records that are kept", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      const about = (call: string) => ({ id: call, ...score, call })
      for (const call of ["old", "new"]) {
        yield* open(call, { openedAt: yield* TestClock.testClockWith((clock) => clock.currentTimeMillis) })
        yield* end(call)
        yield* tell([about(call)])
        yield* TestClock.adjust("1 hour")
      }
      assert.strictEqual(yield* store.events.prune({ openedFrom: undefined, maxBytes: undefined }), 0)
      assert.strictEqual(yield* store.events.prune({ openedFrom: now + 60_000, maxBytes: undefined }), 1)
      assert.deepStrictEqual(yield* outsideOf("old"), {})
      assert.deepNestedPropertyVal(yield* outsideOf("new"), "scores[0].id", "new")
      assert.strictEqual(yield* store.events.prune({ openedFrom: now + 60_000, maxBytes: undefined }), 0)
      yield* tell(
        Array.from({ length: 100 }, (_, n) => ({ ...about("new"), id: `more ${n}`, comment: "x".repeat(1000) }))
      )
      assert.isAbove(yield* store.events.prune({ openedFrom: undefined, maxBytes: 40_000 }), 50)
      const left = (yield* AuditTrail.use((trail) => trail.get("new")))?.scores ?? []
      assert.isAtLeast(left.length, 20)
      assert.isAtMost(left.length, 40)
      assert.include(
        left.map(({ id }) => id),
        "more 99"
      )
    }).pipe(Effect.provide(trail()))
  )
}

describe("telling of calls (memory)", () => testTelling(AuditStoreMemory.layer))

const inDatabase = (kind: Kind) =>
  Layer.fresh(
    Layer.unwrap(Effect.map(freshDatabase(kind), (address) => Layer.provide(AuditStoreSql.layer, databaseAt(address))))
  )

describeDatabases("telling of calls", (kind) => {
  testTelling(Layer.orDie(inDatabase(kind)))

  it.effect("removes what was told of calls that were removed for their size", () =>
    Effect.gen(function* () {
      const { commit, events, prune } = yield* AuditStore
      for (let n = 0; n < 20; n++) {
        const call = `call-${n}`
        const opened = openedRow(openRecord(call, { openedAt: n * 1000 }), "full", "owner")
        yield* commit([opened, finalRow(finalRecord(call), "full", "owner", { openedAt: n * 1000, endedAt: n * 1000 })])
        yield* events.keep([{ ...row, id: call, call, receivedAt: n * 1000 + 500 }])
      }
      const keeping = { openedFrom: undefined, maxBytes: 20_000 }
      const records = yield* prune(keeping)
      assert.isAbove(records, 10)
      // they are small enough by themselves
      assert.strictEqual(yield* events.prune(keeping), Math.ceil(records / 2))
      assert.lengthOf(yield* events.of("call-19", [""]), 1)
    }).pipe(Effect.provide(inDatabase(kind)))
  )

  it.effect("takes as many at once as a program has", () =>
    Effect.gen(function* () {
      const { events } = yield* AuditStore
      const rows = Array.from({ length: 5000 }, (_, n) => ({ ...row, id: String(n % 4999) }))
      const hashes = yield* events.keep([...rows, { ...row, id: "7", hash: "other" }])
      assert.deepStrictEqual(new Set(hashes), new Set(["h"]))
      assert.lengthOf(hashes, 5001)
      assert.deepStrictEqual(yield* events.keep([]), [])
      assert.lengthOf(yield* events.callersOf(rows.map(({ id }) => id)), 0)
    }).pipe(Effect.provide(inDatabase(kind)))
  )

  it.live("comes to the same in every order, however often each is told, and whenever the call is recorded", () =>
    Effect.gen(function* () {
      const store = Layer.provide(AuditStoreSql.layer, databaseAt(yield* freshDatabase(kind)))
      const context = yield* Layer.build(Layer.provideMerge(AuditTrail.layer({ durability: "strict" }), store))
      // a generator of its own: what fails must fail again
      let state = 7
      const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648)
      yield* Effect.forEach(
        Array.from({ length: 40 }, (_, n) => `call-${n}`),
        (call) =>
          Effect.gen(function* () {
            // a key of its own for each, so that ids and runs are its own too
            const sender = { owner: call, onlyOwnCalls: true }
            const told = story(call).flatMap((event) => Array.from({ length: 1 + (random() % 3) }, () => [event]))
            const seed = Array.from({ length: told.length + 2 }, random)
            const opening = open(call, { caller: { key: call } })
            const steps = shuffled([opening, ...told.map((events) => tell(events, sender))], seed)
            yield* Effect.forEach(steps, (step) => Effect.asVoid<unknown, LlmError | StorageError, AuditTrail>(step), {
              concurrency: random() % 2 === 0 ? 1 : "unbounded",
              discard: true
            })
            yield* end(call)
            const signed = JSON.parse(
              JSON.stringify(known(call), (_, value: unknown) =>
                typeof value === "object" && value !== null && /^(p|n)\d$|^ada/.test(String(Reflect.get(value, "id")))
                  ? { ...value, by: call }
                  : value
              )
            )
            assert.deepEqual(yield* outsideOf(call), signed)
          }),
        { discard: true }
      ).pipe(Effect.provideContext(context))
    }).pipe(Effect.scoped)
  )
})
