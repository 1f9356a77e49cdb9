import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Option, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { AuditSinks } from "../../src/audit/AuditSink.ts"
import { type AuditRow, AuditStore } from "../../src/audit/AuditStore.ts"
import { type AuditSettings, AuditTrail } from "../../src/audit/AuditTrail.ts"
import { finalRecord, findings, openRecord } from "./records.ts"
import * as TroubledStore from "./TroubledStore.ts"

const { Troubles } = TroubledStore

/** Runs a scenario over a trail with these settings; the store can be looked at after the trail is closed. */
const scenario = <A, E>(
  settings: AuditSettings,
  body: (trail: AuditTrail["Service"]) => Effect.Effect<A, E, AuditStore | TroubledStore.Troubles | Scope.Scope>
) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(AuditTrail.layer(settings))
    return yield* Effect.provideContext(Effect.flatMap(AuditTrail, body), context)
  }).pipe(Effect.scoped, Effect.provide(TroubledStore.layer))

const turns = (count: number) => Effect.forEach(Array.from({ length: count }), () => Effect.yieldNow, { discard: true })
/** Lets everything happen that needs no time. */
const settle = turns(50)
/** Lets what nobody waits for be written too. */
const written = Effect.andThen(TestClock.adjust("10 millis"), settle)

const ids = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`)

describe("a call", () => {
  it.effect("is open, then ended", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        yield* trail.open(openRecord("a"))
        assert.strictEqual((yield* trail.get("a"))?.status, "open")
        yield* trail.finalize(finalRecord("a"))
        assert.strictEqual((yield* trail.get("a"))?.outcome?.kind, "Completed")
        assert.isUndefined(yield* trail.get("b"))
        const { finalized, opened, running } = yield* trail.stats
        assert.deepStrictEqual([opened, finalized, running], [1, 1, 0])
      })
    )
  )

  it.effect("ends once, whoever ends it at the same time", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        yield* trail.open(openRecord("a"))
        const cancelled = finalRecord("a", { outcome: { _tag: "Cancelled", by: "client" } })
        yield* Effect.all([trail.finalize(cancelled), trail.finalize(finalRecord("a")), trail.finalize(cancelled)], {
          concurrency: "unbounded"
        })
        yield* trail.finalize(finalRecord("a"))
        assert.deepStrictEqual((yield* trail.get("a"))?.outcome, { kind: "Cancelled", by: "client" })
        assert.deepStrictEqual((yield* Troubles).finals, ["a"])
      })
    )
  )

  it.effect("that was never opened is not ended", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        yield* trail.finalize(finalRecord("a"))
        assert.deepStrictEqual((yield* Troubles).commits, [])
      })
    )
  )

  it.effect("does not wait for its end to be written, and is written all the same", () =>
    scenario({}, (trail) =>
      Effect.gen(function* () {
        const { answers } = yield* Troubles
        yield* trail.open(openRecord("a"))
        yield* answers.close
        yield* trail.finalize(finalRecord("a"))
        assert.strictEqual((yield* trail.stats).finalized, 0)
        yield* answers.open
        yield* written
        assert.strictEqual((yield* trail.stats).finalized, 1)
      })
    )
  )

  it.effect("waits for its end to be written where that is strict, but not for ever", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        const { answers } = yield* Troubles
        yield* trail.open(openRecord("a"))
        yield* answers.close
        const ending = yield* Effect.forkChild(Effect.uninterruptible(trail.finalize(finalRecord("a"))))
        yield* settle
        yield* TestClock.adjust("9 seconds")
        assert.isUndefined(ending.pollUnsafe())
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(ending)
        assert.strictEqual((yield* trail.stats).running, 1)
        yield* answers.open
        yield* settle
        assert.strictEqual((yield* trail.stats).running, 0)
      })
    )
  )

  it.effect("with durability async waits for nothing, until too many do", () =>
    scenario({ durability: "async", capacity: 2 }, (trail) =>
      Effect.gen(function* () {
        const { answers } = yield* Troubles
        yield* answers.close
        yield* trail.open(openRecord("under way"))
        yield* settle
        yield* trail.open(openRecord("first"))
        yield* trail.open(openRecord("second"))
        const third = yield* Effect.forkChild(trail.open(openRecord("third")))
        yield* settle
        assert.isUndefined(third.pollUnsafe())
        yield* answers.open
        yield* Fiber.join(third)
        assert.strictEqual((yield* trail.stats).opened, 4)
      })
    )
  )
})

/** Whether what is done ends in a call that is told to have ended well. */
const sealing = (trail: AuditTrail["Service"], id: string) =>
  Effect.forkChild(Effect.result(trail.seal?.(finalRecord(id)) ?? Effect.die("durability is not strict")))

const unsealed = finalRecord("a", {
  outcome: { _tag: "Failed", reason: { _tag: "AuditUnavailable" }, message: "The record could not be written" }
})

describe("a call whose end is held back for its record", () => {
  it.effect("ends when the record is written, and has that one", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        const { answers, finals } = yield* Troubles
        yield* trail.open(openRecord("a"))
        yield* answers.close
        const seal = yield* sealing(trail, "a")
        yield* settle
        assert.isUndefined(seal.pollUnsafe())
        yield* answers.open
        assert.isTrue(Result.isSuccess(yield* Fiber.join(seal)))
        yield* trail.finalize(unsealed)
        yield* settle
        assert.deepStrictEqual(finals, ["a"])
        assert.strictEqual((yield* trail.get("a"))?.outcome?.kind, "Completed")
        assert.strictEqual((yield* trail.stats).running, 0)
      })
    )
  )

  it.effect("does not end well where it cannot be written in time, and then the record says so", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        const { failures } = yield* Troubles
        yield* trail.open(openRecord("a"))
        failures.push(...Array.from({ length: 30 }, () => "full" as const))
        const seal = yield* sealing(trail, "a")
        yield* settle
        yield* TestClock.adjust("4999 millis")
        assert.isUndefined(seal.pollUnsafe())
        yield* TestClock.adjust(1)
        const refusal = Option.getOrThrow(Result.getFailure(yield* Fiber.join(seal)))
        assert.strictEqual(refusal.reason._tag, "AuditUnavailable")
        assert.isAbove(refusal.retryAfterMs ?? 0, 0)
        yield* trail.finalize(unsealed)
        // the first one that is told counts
        yield* trail.finalize(finalRecord("a"))
        failures.length = 0
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* trail.get("a"))?.outcome?.reason, "AuditUnavailable")
        assert.strictEqual((yield* trail.stats).running, 0)
      })
    )
  )

  it.effect("is waited for while it is being written, which may succeed yet", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        const { answers } = yield* Troubles
        yield* trail.open(openRecord("a"))
        yield* answers.close
        const seal = yield* sealing(trail, "a")
        yield* settle
        yield* TestClock.adjust("9 seconds")
        assert.isUndefined(seal.pollUnsafe())
        yield* answers.open
        assert.isTrue(Result.isSuccess(yield* Fiber.join(seal)))
      })
    )
  )

  it.effect("does not end well where the store refuses the record", () =>
    scenario({ durability: "strict" }, (trail) =>
      Effect.gen(function* () {
        yield* trail.open(openRecord("a"))
        ;(yield* Troubles).refused.add("a")
        assert.isTrue(Result.isFailure(yield* Fiber.join(yield* sealing(trail, "a"))))
        assert.deepStrictEqual([(yield* trail.stats).lost, (yield* trail.stats).running], [1, 0])
      })
    )
  )

  it.effect("does not end well where this process stood still, and another one has ended it meanwhile", () =>
    Effect.gen(function* () {
      const copied: Array<string> = []
      const write = (rows: ReadonlyArray<AuditRow>) =>
        Effect.sync(() => void copied.push(...rows.map(({ _tag, id }) => `${_tag} ${id}`)))
      const sinks = Layer.succeed(AuditSinks, [{ name: "copies", write }])
      yield* Effect.gen(function* () {
        const trail = yield* AuditTrail
        const store = yield* AuditStore
        yield* trail.open(openRecord("a"))
        for (const lease of yield* store.leases) yield* store.endLease(lease, "neighbour", 5)
        yield* trail.open(openRecord("b"))
        const seal = trail.seal ?? (() => Effect.void)
        const exits = yield* Effect.all([seal(finalRecord("b")), Effect.exit(seal(finalRecord("a")))], {
          concurrency: "unbounded"
        })
        assert.isTrue(Exit.isFailure(exits[1]))
        for (const id of ["a", "b"]) yield* trail.finalize(finalRecord(id))
        assert.strictEqual((yield* trail.get("a"))?.outcome?.kind, "Interrupted")
        assert.strictEqual((yield* trail.get("b"))?.outcome?.kind, "Completed")
        const { finalized, lost, running } = yield* trail.stats
        assert.deepStrictEqual([finalized, lost, running], [1, 1, 0])
      }).pipe(Effect.provide(Layer.provide(AuditTrail.layer({ durability: "strict" }), sinks)))
      assert.deepStrictEqual(copied, ["Opened a", "Opened b", "Final b"])
    }).pipe(Effect.provide(TroubledStore.layer))
  )

  it.effect("ends all the same where the policy is open, later ones at once, and is counted", () =>
    scenario({ durability: "strict", onFailure: "open" }, (trail) =>
      Effect.gen(function* () {
        const { failures } = yield* Troubles
        for (const id of ["a", "b"]) yield* trail.open(openRecord(id))
        failures.push(...Array.from({ length: 30 }, () => "unavailable" as const))
        const first = yield* sealing(trail, "a")
        yield* settle
        yield* TestClock.adjust("5 seconds")
        assert.isTrue(Result.isSuccess(yield* Fiber.join(first)))
        const second = yield* sealing(trail, "b")
        yield* settle
        assert.isTrue(Result.isSuccess(yield* Fiber.join(second)))
        assert.strictEqual((yield* trail.stats).endedUnrecorded, 2)
        failures.length = 0
        yield* TestClock.adjust("1 second")
        for (const id of ["a", "b"]) assert.strictEqual((yield* trail.get(id))?.outcome?.kind, "Completed")
      })
    )
  )

  it.effect("is one that is strict: others have nothing to wait for", () =>
    scenario({}, (trail) => Effect.sync(() => assert.isUndefined(trail.seal)))
  )
})

describe("many calls", () => {
  it.effect("share a transaction, and the next one collects while it is under way", () =>
    scenario({ maxBatch: 100 }, (trail) =>
      Effect.gen(function* () {
        const { answers, commits } = yield* Troubles
        yield* answers.close
        const openAll = (some: ReadonlyArray<string>) =>
          Effect.forEach(some, (id) => trail.open(openRecord(id)), { concurrency: "unbounded" })
        const first = yield* Effect.forkChild(openAll(ids("a", 60)))
        yield* settle
        const second = yield* Effect.forkChild(openAll(ids("b", 150)))
        yield* settle
        assert.deepStrictEqual(commits, [ids("a", 60)])
        yield* answers.open
        yield* Fiber.join(first)
        yield* Fiber.join(second)
        assert.deepStrictEqual(commits.slice(1), [ids("b", 150).slice(0, 100), ids("b", 150).slice(100)])
      })
    )
  )
})

describe("content", () => {
  it.effect("of a request that is redacted is not kept in what filters found in it", () =>
    scenario({ durability: "strict", redact: { request: () => "nothing" } }, (trail) =>
      Effect.gen(function* () {
        yield* trail.open(openRecord("a"))
        yield* trail.finalize(finalRecord("a", { findings }))
        const record = yield* trail.get("a")
        assert.lengthOf(record?.findings ?? [], findings.length)
        assert.notProperty(record?.findings?.[0], "excerpt")
      })
    )
  )

  it.effect("is kept as a redaction leaves it, and not at all where that fails", () =>
    scenario(
      {
        durability: "strict",
        redact: {
          request: (document) => JSON.parse(JSON.stringify(document).replace("Hello", "…")),
          response: (answer) => {
            if (answer.choices.length > 0) throw new Error("a defect")
            return answer
          }
        }
      },
      (trail) =>
        Effect.gen(function* () {
          yield* trail.open(openRecord("a", { requestText: `{"messages":[{"role":"user","content":"Hello from a"}]}` }))
          yield* trail.finalize(finalRecord("a", { findings }))
          const record = yield* trail.get("a")
          assert.deepStrictEqual(record?.request?.body, { messages: [{ role: "user", content: "… from a" }] })
          assert.notProperty(record?.findings?.[0], "excerpt")
          assert.isUndefined(record?.response)
          assert.strictEqual(record?.outcome?.kind, "Completed")
        })
    )
  )
})

describe("endings for which nobody waits", () => {
  it.effect("go along with the next opening, in one transaction", () =>
    scenario({}, (trail) =>
      Effect.gen(function* () {
        const { commits } = yield* Troubles
        yield* trail.open(openRecord("a"))
        yield* trail.open(openRecord("b"))
        yield* trail.finalize(finalRecord("a"))
        yield* trail.finalize(finalRecord("b"))
        yield* settle
        yield* trail.open(openRecord("c"))
        assert.deepStrictEqual(commits, [["a"], ["b"], ["a", "b", "c"]])
      })
    )
  )

  it.effect("are written when the trail closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const trail = Context.get(yield* Layer.buildWithScope(AuditTrail.layer(), scope), AuditTrail)
      yield* trail.open(openRecord("a"))
      yield* trail.finalize(finalRecord("a"))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* Troubles).finals, ["a"])
    }).pipe(Effect.provide(TroubledStore.layer))
  )
})

describe("a store that does not answer", () => {
  it.effect("has calls refused after the timeout; what was not sent is dropped, what was sent is ended", () =>
    scenario({}, (trail) =>
      Effect.gen(function* () {
        const { answers, commits } = yield* Troubles
        yield* answers.close
        const sent = yield* Effect.forkChild(Effect.flip(trail.open(openRecord("sent"))))
        yield* settle
        const unsent = yield* Effect.forkChild(Effect.flip(trail.open(openRecord("unsent"))))
        yield* settle
        yield* TestClock.adjust(1999)
        assert.isUndefined(sent.pollUnsafe())
        yield* TestClock.adjust(1)
        for (const fiber of [sent, unsent]) {
          assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "AuditUnavailable")
        }
        assert.strictEqual((yield* trail.stats).refused, 2)
        yield* trail.finalize(finalRecord("sent"))
        yield* answers.open
        yield* settle
        assert.deepStrictEqual(commits, [["sent"], ["sent"]])
        assert.strictEqual((yield* trail.get("sent"))?.outcome?.reason, "AuditUnavailable")
        assert.isUndefined(yield* trail.get("unsent"))
        assert.strictEqual((yield* trail.stats).running, 0)
        yield* trail.open(openRecord("later"))
      })
    )
  )

  it.effect("serves calls where the policy is open, later ones at once, and keeps as many as there is room for", () =>
    scenario({ onFailure: "open", capacity: 3 }, (trail) =>
      Effect.gen(function* () {
        const { answers } = yield* Troubles
        yield* answers.close
        const first = yield* Effect.forkChild(trail.open(openRecord("first")))
        yield* settle
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(first)
        for (const id of ids("later", 5)) yield* trail.open(openRecord(id))
        for (const id of ids("later", 5)) yield* trail.finalize(finalRecord(id))
        assert.strictEqual((yield* trail.stats).servedUnrecorded, 6)
        yield* answers.open
        yield* settle
        assert.deepStrictEqual(
          (yield* trail.list({})).data.map((record) => [record.id, record.status]),
          [
            ["later2", "ended"],
            ["later1", "ended"],
            ["later0", "ended"],
            ["first", "open"]
          ]
        )
        const waited = yield* Effect.forkChild(trail.open(openRecord("recorded")))
        yield* settle
        assert.isDefined(waited.pollUnsafe())
        assert.strictEqual((yield* trail.stats).servedUnrecorded, 6)
      })
    )
  )

  it.effect("is waited for by no more than the memory has room for, however long the requests are", () =>
    scenario({ onFailure: "open", capture: { level: "full", maxBytes: 1024 * 1024 } }, (trail) =>
      Effect.gen(function* () {
        const { answers } = yield* Troubles
        yield* answers.close
        const request = { messages: [{ role: "user", content: "x".repeat(1024 * 1024 - 100) }] }
        const requestText = JSON.stringify(request)
        const long = (id: string) => trail.open(openRecord(id, { request, requestText }))
        const first = yield* Effect.forkChild(long("first"))
        yield* settle
        yield* TestClock.adjust("2 seconds")
        yield* Fiber.join(first)
        for (const id of ids("later", 300)) yield* long(id)
        const { queued, servedUnrecorded } = yield* trail.stats
        assert.strictEqual(servedUnrecorded, 301)
        assert.isAtLeast(queued, 120)
        assert.isAtMost(queued, 130)
        yield* answers.open
        yield* settle
        assert.strictEqual((yield* trail.stats).queued, 0)
        const waited = yield* Effect.forkChild(long("recorded"))
        yield* settle
        assert.isDefined(waited.pollUnsafe())
        assert.strictEqual((yield* trail.stats).servedUnrecorded, 301)
      })
    )
  )

  it.effect("lets a caller leave at once; the call is ended by whoever opened it", () =>
    scenario({}, (trail) =>
      Effect.gen(function* () {
        const { answers } = yield* Troubles
        yield* answers.close
        const opening = yield* Effect.forkChild(trail.open(openRecord("a")))
        yield* settle
        yield* Fiber.interrupt(opening)
        yield* trail.finalize(finalRecord("a", { outcome: { _tag: "Cancelled", by: "client" } }))
        yield* answers.open
        yield* written
        assert.deepStrictEqual((yield* trail.get("a"))?.outcome, { kind: "Cancelled", by: "client" })
      })
    )
  )
})

describe("a store that fails", () => {
  it.effect("is tried again until it works, and nothing is lost", () =>
    scenario({}, (trail) =>
      Effect.gen(function* () {
        const { commits, failures } = yield* Troubles
        failures.push("busy", "full", "unavailable", "readonly")
        const opening = yield* Effect.forkChild(trail.open(openRecord("a")))
        yield* settle
        assert.strictEqual(commits.length, 1)
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(opening)
        assert.strictEqual(commits.length, 5)
        failures.push("unavailable")
        yield* trail.finalize(finalRecord("a"))
        yield* settle
        assert.strictEqual((yield* trail.stats).running, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* trail.get("a"))?.status, "ended")
      })
    )
  )

  it.effect("for longer than an opening may take has the call refused and ended", () =>
    scenario({}, (trail) =>
      Effect.gen(function* () {
        const { failures } = yield* Troubles
        failures.push(...Array.from({ length: 8 }, () => "full" as const))
        const opening = yield* Effect.forkChild(Effect.flip(trail.open(openRecord("a"))))
        yield* settle
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* Fiber.join(opening)).reason._tag, "AuditUnavailable")
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* trail.get("a"))?.outcome?.reason, "AuditUnavailable")
      })
    )
  )

  it.effect("on one row does not keep the others of its batch from being written", () =>
    scenario({}, (trail) =>
      Effect.gen(function* () {
        const { refused } = yield* Troubles
        refused.add("a3")
        const exits = yield* Effect.forEach(ids("a", 6), (id) => Effect.exit(trail.open(openRecord(id))), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, true, true, false, true, true])
        yield* trail.finalize(finalRecord("a3"))
        refused.add("a4")
        for (const id of ids("a", 6)) yield* trail.finalize(finalRecord(id))
        yield* written
        const { finalized, lost, refused: turnedAway, running } = yield* trail.stats
        assert.deepStrictEqual([finalized, lost, turnedAway, running], [4, 1, 1, 0])
      })
    )
  )
})

describe("closing", () => {
  it.effect("writes what waits, and ends what nobody ended", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      const scope = yield* Scope.make()
      const trail = yield* AuditTrail.pipe(Effect.provide(yield* Layer.buildWithScope(AuditTrail.layer(), scope)))
      for (const id of ids("a", 20)) yield* trail.open(openRecord(id))
      for (const id of ids("a", 19)) yield* trail.finalize(finalRecord(id))
      assert.strictEqual((yield* store.leases).length, 1)
      yield* Scope.close(scope, Exit.void)
      assert.lengthOf((yield* Troubles).finals, 19)
      assert.deepStrictEqual(yield* store.leases, [])
      assert.isDefined((yield* store.get("a19"))?.final)
      assert.strictEqual((yield* Effect.flip(trail.open(openRecord("b")))).reason._tag, "AuditUnavailable")
    }).pipe(Effect.provide(TroubledStore.layer))
  )

  it.effect("does not wait for ever", () =>
    Effect.gen(function* () {
      const { answers } = yield* Troubles
      const scope = yield* Scope.make()
      const trail = yield* AuditTrail.pipe(Effect.provide(yield* Layer.buildWithScope(AuditTrail.layer(), scope)))
      yield* trail.open(openRecord("a"))
      yield* answers.close
      yield* trail.finalize(finalRecord("a"))
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(TroubledStore.layer))
  )
})
