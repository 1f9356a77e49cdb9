import { assert, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Redacted } from "effect"
import { hash } from "node:crypto"
import { Keys } from "../../src/accounting/Keys.ts"
import * as KeyStoreSql from "../../src/accounting/KeyStoreSql.ts"
import { Database } from "../../src/storage/Database.ts"
import { databaseAt } from "../storage/address.ts"
import { describeDatabases, freshDatabase } from "../storage/databases.ts"

/** The keys of a database, as a process has them that is configured with these peppers. */
const keysAt = (address: string, ...peppers: ReadonlyArray<string>) =>
  Effect.map(
    Layer.build(
      Layer.fresh(
        Layer.provide(
          Keys.layer({ peppers: peppers.map((pepper) => Redacted.make(pepper)) }),
          Layer.provide(KeyStoreSql.layer, databaseAt(address))
        )
      )
    ),
    (services) => Context.get(services, Keys)
  )

/** Everything that the database has of keys, as text. */
const keptAt = (address: string) =>
  Effect.flatMap(Layer.build(databaseAt(address)), (services) => {
    const { query } = Context.get(services, Database)
    const all = ["accounting_keys", "accounting_secrets"].map((table) => query(`select * from ${table}`))
    return Effect.map(Effect.all(all), (rows) => JSON.stringify(rows))
  })

const [first, second] = ["the first of all peppers", "the second of all peppers"]

describeDatabases("keys", (kind) => {
  it.live("leave nothing in the database by which somebody could show one or try some out", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const keys = yield* keysAt(address, first)
      const { secret } = yield* keys.create({ name: "a" })
      const rotated = yield* keys.rotate("a", Duration.hours(1))
      const kept = yield* keptAt(address)
      for (const each of [secret, rotated.secret, first]) {
        assert.notInclude(kept, each)
        for (const encoding of ["hex", "base64", "base64url"] as const) {
          assert.notInclude(kept, hash("sha256", each, encoding))
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("are recognised through a change of the pepper, and from their next use on by the new one alone", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const unpeppered = yield* Effect.flatMap(keysAt(address), (keys) => keys.create({ name: "before" }))
      const peppered = yield* Effect.flatMap(keysAt(address, first), (keys) => keys.create({ name: "with-first" }))
      const idle = yield* Effect.flatMap(keysAt(address, first), (keys) => keys.create({ name: "idle" }))
      const both = yield* keysAt(address, second, first)
      for (const { key, secret } of [unpeppered, peppered]) {
        assert.strictEqual((yield* both.identify(secret))?.name, key.name)
        assert.strictEqual((yield* both.identify(secret))?.name, key.name)
      }
      const after = yield* keysAt(address, second)
      assert.strictEqual((yield* after.identify(peppered.secret))?.name, "with-first")
      assert.isUndefined(yield* after.identify(idle.secret))
      assert.deepStrictEqual(
        (yield* after.list).map(({ name, recognised }) => [name, recognised]),
        [
          ["before", undefined],
          ["idle", false],
          ["with-first", undefined]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("keep what several processes change of one at once", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const processes = yield* Effect.all([keysAt(address), keysAt(address), keysAt(address)])
      const { secret } = yield* processes[0].create({ name: "a" })
      const owners = yield* Effect.forEach(
        Array.from({ length: 30 }, (_, index) => index),
        (index) => {
          const keys = processes[index % 3]!
          if (index % 10 === 9) return Effect.as(keys.rotate("a", Duration.hours(1)), undefined)
          return keys.change(
            "a",
            index === 4 ? { disabled: true } : index % 3 === 0 ? { owner: "ada" } : { tenant: "t" }
          )
        },
        { concurrency: "unbounded" }
      )
      assert.strictEqual(owners.length, 30)
      for (const keys of processes) {
        assert.deepInclude((yield* keys.list)[0], { disabled: true, owner: "ada", tenant: "t" })
        assert.isUndefined(yield* keys.identify(secret))
      }
    }).pipe(Effect.scoped)
  )

  it.live("keep the secret before for its grace through a change of the pepper", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const keys = yield* keysAt(address, first)
      const { secret: before } = yield* keys.create({ name: "a" })
      const { secret: now } = yield* keys.rotate("a", Duration.hours(1))
      const both = yield* keysAt(address, second, first)
      for (const secret of [before, now, before, now]) {
        assert.strictEqual((yield* both.identify(secret))?.name, "a")
      }
    }).pipe(Effect.scoped)
  )

  it.live("are refused as a whole where their pepper is not configured, and mended by another secret", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      const { secret } = yield* Effect.flatMap(keysAt(address, first), (keys) => keys.create({ name: "a" }))
      for (const peppers of [[], [second]]) {
        const keys = yield* keysAt(address, ...peppers)
        assert.isUndefined(yield* keys.identify(secret))
        for (const refused of [Effect.flip(keys.recognise), Effect.flip(keys.create({ name: "b" }))]) {
          const error = yield* refused
          assert.match(error.message, /^Keys of the database were made with .* not be recognised: a\n/)
          assert.include(error.message, "MILLRACE_KEY_PEPPER")
        }
      }
      const keys = yield* keysAt(address, second)
      const rotated = yield* keys.rotate("a", Duration.zero)
      yield* keys.recognise
      assert.strictEqual((yield* keys.identify(rotated.secret))?.name, "a")
      yield* keys.create({ name: "b" })
    }).pipe(Effect.scoped)
  )
})
