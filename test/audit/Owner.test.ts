import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Deferred, Effect, Exit, Layer, Schedule, Scope } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync, spawn } from "node:child_process"
import { AuditStore, type Lease } from "../../src/audit/AuditStore.ts"
import * as AuditStoreMemory from "../../src/audit/AuditStoreMemory.ts"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { openedRow } from "../../src/audit/CallRecord.ts"
import { get, list } from "../../src/audit/CallRecords.ts"
import * as Owner from "../../src/audit/Owner.ts"
import { currentProcess } from "../../src/storage/ProcessLease.ts"
import * as Sqlite from "../../src/storage/Sqlite.ts"
import { temporaryFile } from "../storage/temporary.ts"
import { openRecord } from "./records.ts"

const self = { host: "here", pid: process.pid, startedAt: 0 }
const calls = { nextSequence: 0, settledBelow: 0 }
const join = Owner.join({ self, calls })

/** The id of a process that has ended. */
const goneProcess = () => Number(execFileSync(process.execPath, ["-p", "process.pid"]).toString())

/** An owner who opened one call, which has its name, and has been silent since `heartbeatAt`. */
const owned = Effect.fnUntraced(function* (lease: Partial<Lease> & { readonly owner: string }) {
  const store = yield* AuditStore
  const now = yield* Clock.currentTimeMillis
  yield* store.keepLease({ host: "elsewhere", pid: 1, heartbeatAt: now, settledBelow: 0, ...lease })
  yield* store.commit([openedRow(openRecord(lease.owner), "full", lease.owner)])
})

const statusOf = (id: string) => Effect.map(get(id), (record) => record?.outcome?.kind ?? record?.status)

const hour = 3_600_000

describe("a process that starts", () => {
  it.effect("ends the calls of owners that are dead, and of no others", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(hour)
      yield* owned({ owner: "silent", heartbeatAt: hour - 600_001 })
      yield* owned({ owner: "alive", heartbeatAt: hour - 600_000 })
      const pid = goneProcess()
      yield* owned({ owner: "gone", host: "here", pid })
      yield* owned({ owner: "gone there", pid })
      yield* owned({ owner: "neighbour", host: "here", pid: process.ppid })
      const owner = yield* join
      assert.strictEqual(owner.recovered(), 2)
      assert.strictEqual(yield* statusOf("silent"), "Interrupted")
      assert.strictEqual(yield* statusOf("gone"), "Interrupted")
      assert.strictEqual(yield* statusOf("alive"), "open")
      assert.strictEqual(yield* statusOf("gone there"), "open")
      assert.strictEqual(yield* statusOf("neighbour"), "open")
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )

  it.effect("takes a lease under its own process id for that of a predecessor, if it is older than itself", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(hour)
      const restarted = { host: "here", pid: process.pid, startedAt: hour - 2000 }
      yield* owned({ owner: "predecessor", host: "here", pid: process.pid, heartbeatAt: hour - 3000 })
      yield* owned({ owner: "second trail", host: "here", pid: process.pid, heartbeatAt: hour - 1000 })
      yield* Owner.join({ self: restarted, calls })
      assert.strictEqual(yield* statusOf("predecessor"), "Interrupted")
      assert.strictEqual(yield* statusOf("second trail"), "open")
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )
})

describe.skipIf(process.platform !== "linux")("a process that ended unnoticed by its parent", () => {
  it.live("is known to be dead", () =>
    Effect.gen(function* () {
      // the shell becomes a program that never asks for its child
      const parent = yield* Effect.acquireRelease(
        Effect.sync(() => spawn("sh", ["-c", "true & echo $!; exec sleep 60"])),
        (parent) => Effect.sync(() => parent.kill("SIGKILL"))
      )
      const pid = yield* Effect.callback<number>((resume) => {
        parent.stdout.once("data", (printed) => resume(Effect.succeed(Number(printed))))
      })
      yield* owned({ owner: "zombie", host: "here", pid })
      yield* Effect.scoped(join).pipe(
        Effect.andThen(statusOf("zombie")),
        Effect.repeat({ schedule: Schedule.spaced("10 millis"), until: (status) => status === "Interrupted" })
      )
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )
})

describe("a process that runs", () => {
  it.effect("ends the calls of a neighbour that falls silent", () =>
    Effect.gen(function* () {
      const owner = yield* join
      yield* owned({ owner: "neighbour" })
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* statusOf("neighbour"), "open")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* statusOf("neighbour"), "Interrupted")
      assert.strictEqual(owner.recovered(), 1)
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )

  it.effect("and another one leave each other's calls alone for as long as they beat", () =>
    Effect.gen(function* () {
      const build = Effect.map(Layer.build(Layer.fresh(AuditTrail.layer())), Context.get(AuditTrail))
      const first = yield* build
      const second = yield* build
      yield* first.open(openRecord("first"))
      yield* second.open(openRecord("second"))
      yield* TestClock.adjust("5 minutes")
      const third = yield* build
      assert.strictEqual(yield* statusOf("first"), "open")
      assert.strictEqual(yield* statusOf("second"), "open")
      for (const trail of [first, second, third]) assert.strictEqual((yield* trail.stats).recovered, 0)
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )

  it.effect("and one whose clock goes before or after its own leave each other's calls alone", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust(hour)
      const { keepLease } = yield* AuditStore
      const clocks = { "a minute ahead": 60_000, "a minute behind": -60_000 }
      for (const owner of Object.keys(clocks)) yield* owned({ owner })
      const beat = Effect.forEach(Object.entries(clocks), ([owner, off]) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          keepLease({ owner, host: "elsewhere", pid: 1, heartbeatAt: now + off, settledBelow: 0 })
        )
      )
      yield* beat
      const owner = yield* join
      for (let beats = 0; beats < 20; beats++) {
        yield* beat
        yield* TestClock.adjust("5 seconds")
      }
      assert.strictEqual(owner.recovered(), 0)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(owner.recovered(), 2)
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )

  it.effect("and comes when the database does, after a minute without it, waits for those who come back to it", () =>
    Effect.gen(function* () {
      yield* owned({ owner: "back in time" })
      yield* TestClock.adjust("1 minute")
      yield* join
      assert.strictEqual(yield* statusOf("back in time"), "open")
      yield* TestClock.adjust("5 seconds")
      const { keepLease } = yield* AuditStore
      const heartbeatAt = yield* Clock.currentTimeMillis
      yield* keepLease({ owner: "back in time", host: "elsewhere", pid: 1, heartbeatAt, settledBelow: 0 })
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* statusOf("back in time"), "open")
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )

  it.effect("and was held up itself gives the others a round to come back", () =>
    Effect.gen(function* () {
      const memory = yield* AuditStore
      let held: Deferred.Deferred<void> | undefined
      const keepLease = (lease: Lease) =>
        Effect.andThen(
          Effect.suspend(() => (held === undefined ? Effect.void : Deferred.await(held))),
          memory.keepLease(lease)
        )
      yield* Effect.provideService(join, AuditStore, AuditStore.of({ ...memory, keepLease }))
      yield* owned({ owner: "back in time" })
      yield* owned({ owner: "silent" })
      const gate = (held = Deferred.makeUnsafe<void>())
      yield* TestClock.adjust("1 minute")
      held = undefined
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* statusOf("silent"), "open")
      for (let beats = 0; beats < 5; beats++) {
        yield* owned({ owner: "back in time" })
        yield* TestClock.adjust("5 seconds")
      }
      assert.strictEqual(yield* statusOf("back in time"), "open")
      assert.strictEqual(yield* statusOf("silent"), "Interrupted")
    }).pipe(Effect.scoped, Effect.provide(AuditStoreMemory.layer))
  )

  it.effect("that leaves takes its lease with it", () =>
    Effect.gen(function* () {
      const store = yield* AuditStore
      const scope = yield* Scope.make()
      yield* Scope.provide(join, scope)
      assert.lengthOf(yield* store.leases, 1)
      yield* Scope.close(scope, Exit.void)
      assert.lengthOf(yield* store.leases, 0)
    }).pipe(Effect.provide(AuditStoreMemory.layer))
  )
})

describe("several processes that start at once", () => {
  it.live("end each call once between them", () =>
    Effect.gen(function* () {
      const filename = yield* temporaryFile
      const store = Layer.fresh(Layer.provide(AuditStoreSql.layer, Sqlite.layer({ filename })))
      const pid = goneProcess()
      const count = 60
      yield* Effect.gen(function* () {
        const { commit, keepLease } = yield* AuditStore
        const heartbeatAt = yield* Clock.currentTimeMillis
        const { host } = yield* currentProcess
        yield* keepLease({ owner: "dead", host, pid, heartbeatAt, settledBelow: 0 })
        yield* commit(Array.from({ length: count }, (_, n) => openedRow(openRecord(`c${n}`), "full", "dead")))
      }).pipe(Effect.provide(store))

      const trail = Layer.fresh(Layer.provide(AuditTrail.layer(), store))
      const stats = AuditTrail.use((trail) => trail.stats).pipe(Effect.provide(trail))
      const all = yield* Effect.all([stats, stats, stats], { concurrency: "unbounded" })
      assert.strictEqual(
        all.reduce((sum, { recovered }) => sum + recovered, 0),
        count
      )
      const { data } = yield* list({ limit: 100, outcome: "Interrupted" }).pipe(Effect.provide(store))
      assert.lengthOf(data, count)
    }).pipe(Effect.scoped)
  )
})
