import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { fileURLToPath } from "node:url"
import { AuditStore } from "../../../src/audit/AuditStore.ts"
import * as AuditStoreSql from "../../../src/audit/AuditStoreSql.ts"
import { databaseAt } from "../../storage/address.ts"
import { describeDatabases, freshDatabase } from "../../storage/databases.ts"

/** Runs the program that tells of events, kills it when so many were accepted, and gives their ids. */
const runAndKill = Effect.fnUntraced(function* (address: string, name: string, count: number) {
  const program = fileURLToPath(new URL("teller-program.ts", import.meta.url))
  const child = yield* ChildProcess.make(process.execPath, [program, address, name], { stderr: "inherit" })
  const accepted: Array<string> = []
  yield* child.stdout.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.runForEach((line) => {
      if (line.startsWith("accepted ")) accepted.push(line.slice("accepted ".length))
      return accepted.length === count
        ? Effect.forkScoped(child.kill({ killSignal: "SIGKILL" }), { startImmediately: true })
        : Effect.void
    })
  )
  yield* Effect.exit(child.exitCode)
  assert.isAtLeast(accepted.length, count)
  return accepted
}, Effect.scoped)

describeDatabases("kill -9 of whoever is told", (kind) => {
  it.live(
    "loses no event that was accepted, and keeps none twice",
    () =>
      Effect.gen(function* () {
        const address = yield* freshDatabase(kind)
        const accepted: Array<string> = []
        for (const name of ["first", "second"]) accepted.push(...(yield* runAndKill(address, name, 500)))
        const context = yield* Layer.build(Layer.provideMerge(Layer.fresh(AuditStoreSql.layer), databaseAt(address)))
        const { events } = yield* Effect.provideContext(AuditStore, context)
        const row = { owner: "", hash: "other", call: "a", run: null, at: null, receivedAt: 0, body: "{}" }
        // whatever is there under an id says so by its hash
        const found = yield* events.keep(accepted.map((id) => ({ ...row, id })))
        assert.deepStrictEqual(
          accepted.filter((_, index) => found[index] === "other"),
          []
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    120_000
  )
})
