import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { KeyStore } from "../../src/accounting/KeyStore.ts"
import * as KeyStoreSql from "../../src/accounting/KeyStoreSql.ts"
import * as AuditStoreSql from "../../src/audit/AuditStoreSql.ts"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { verifyDatabase } from "../../src/audit/verify.ts"
import { SignalStore } from "../../src/signals/SignalStore.ts"
import * as SignalStoreSql from "../../src/signals/SignalStoreSql.ts"
import { Database } from "../../src/storage/Database.ts"
import { finalRecord, openRecord } from "../audit/records.ts"
import { documentFor } from "../server/running.ts"
import { databaseAt } from "./address.ts"
import { describeDatabases, freshDatabase } from "./databases.ts"
import { firstRelease } from "./first-release.ts"

const openAt = (address: string) =>
  Layer.build(
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.provideMerge(AuditTrail.layer({ durability: "strict" }), AuditStoreSql.layer),
        KeyStoreSql.layer,
        SignalStoreSql.layer
      ),
      databaseAt(address)
    )
  )

const write = (address: string, statements: typeof firstRelease) =>
  Effect.scoped(
    Effect.flatMap(Layer.build(databaseAt(address)), (context) => Context.get(context, Database).batch(statements))
  )

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

describeDatabases("a database of the first release", (kind) => {
  it.live("is brought up to date with all that is in it, once", () =>
    Effect.gen(function* () {
      const address = yield* freshDatabase(kind)
      yield* write(address, firstRelease)
      for (const id of ["first", "second"]) {
        yield* Effect.gen(function* () {
          const context = yield* openAt(address)
          const [trail, keys] = [Context.get(context, AuditTrail), Context.get(context, KeyStore)]
          const ended = yield* trail.get("ended")
          assert.deepStrictEqual(ended?.outcome, { kind: "Completed", finish: "stop", delivered: true })
          assert.strictEqual(ended?.response?.text, "Good day.")
          assert.deepInclude(ended?.request?.body, { model: "smart" })
          assert.strictEqual(ended?.requestId, "request of ended")
          // Whose process is long gone.
          assert.strictEqual((yield* trail.get("open"))?.outcome?.kind, "Interrupted")
          const { data } = yield* trail.list({ model: "smart", requestId: "request of open" })
          assert.deepStrictEqual(
            data.map((call) => call.id),
            ["open"]
          )
          assert.strictEqual(keys.pepper, "a pepper of long ago")
          assert.deepInclude((yield* keys.load).keys[0]?.key, { name: "ci", tenant: "team" })
          assert.isUndefined(yield* Context.get(context, SignalStore).get("ended"))

          yield* trail.open(openRecord(id))
          yield* trail.finalize(finalRecord(id))
          const { broken, unlinked } = yield* Effect.provideContext(verifyDatabase, context)
          assert.deepStrictEqual([broken, unlinked], [undefined, 3])
          const list = yield* trail.list({})
          assert.includeMembers(
            list.data.map((call) => call.id),
            ["ended", "open", "first"]
          )
        }).pipe(Effect.scoped)
      }
    }).pipe(Effect.scoped)
  )
})

describeDatabases("a database of a later release", (kind) => {
  it.live(
    "is refused with what is wrong, and not touched",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        yield* Effect.scoped(openAt(address))
        const later =
          "insert into millrace_migrations (subject, id, name, applied_at) values ('audit', 9999, 'a wonder', 0)"
        yield* write(address, [{ sql: later, params: [] }])

        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped()
        const storage = kind === "sqlite" ? `sqlite:${address}` : address
        yield* files.writeFileString(
          `${folder}/millrace.json`,
          JSON.stringify(documentFor("http://127.0.0.1:1", { storage }))
        )
        const server = yield* ChildProcess.make(
          process.execPath,
          [main, "serve", "--port", "0", "--config", `${folder}/millrace.json`],
          { cwd: folder, env: {}, extendEnv: false, killSignal: "SIGKILL" }
        )
        const said = yield* Stream.mkString(Stream.decodeText(server.stderr))
        assert.notStrictEqual(Number(yield* server.exitCode), 0)
        assert.include(said, "the database is newer than this program: it has migration 9999 (a wonder)")
        assert.notMatch(said, /\n\s+at /)
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
