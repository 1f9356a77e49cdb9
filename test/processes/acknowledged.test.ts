import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { simulateServer } from "../../src/server/simulate/SimulateServer.ts"
import { untilTrue } from "../server/client.ts"
import { describeDatabases } from "../storage/databases.ts"
import {
  call,
  idsOf,
  outcomes,
  placeOn,
  recordsAt,
  services,
  startServer,
  verifyRecords,
  type Caller,
  type ServerProcess
} from "./server-process.ts"

/** Makes one call after the other until the connection breaks; gives all of them, the last one with it. */
const churn = (server: ServerProcess): ReadonlyArray<Caller> => {
  const calls: Array<Caller> = []
  const next = () => {
    const index = calls.length
    calls.push(call(server, `messages/words-${1 + (index % 4)}?pace=1ms`, (ended) => ended === "end" && next()))
  }
  next()
  return calls
}

/** Those whose callers have had their good end. */
const completed = (calls: ReadonlyArray<Caller>) =>
  calls.filter(({ ended, text }) => ended() === "end" && text().includes("message_stop"))

describeDatabases("where calls end all the time", (kind) => {
  layer(services, { excludeTestServices: true })((it) => {
    it.effect(
      "a server that is killed again and again has every end that its callers had, and the others as interrupted",
      () =>
        Effect.gen(function* () {
          const simulator = yield* simulateServer({ port: 0 })
          const folder = yield* placeOn(kind, simulator.url)
          const calls: Array<Caller> = []
          for (let round = 0; round < 3; round++) {
            const server = yield* startServer(folder)
            const churning = Array.from({ length: 16 }, () => churn(server))
            yield* untilTrue(() => completed(churning.flat()).length > 100 + 30 * round)
            yield* server.signal("SIGKILL")
            yield* server.exitCode
            yield* untilTrue(() => churning.every((made) => made.at(-1)?.ended() === "broken"))
            calls.push(...churning.flat())
          }
          const server = yield* startServer(folder)
          const records = yield* recordsAt(server)
          const found = outcomes(records)
          assert.strictEqual(found.size, records.length)
          for (const id of idsOf(calls)) assert.isTrue(found.has(id), id)
          // The end of an answer is held back until it is on the disk: who had it, has it there.
          for (const id of idsOf(completed(calls))) assert.strictEqual(found.get(id), "Completed", id)
          for (const outcome of found.values()) assert.include(["Completed", "Interrupted"], outcome)
          assert.include([...found.values()], "Interrupted")
          const { said, whole } = yield* verifyRecords(folder)
          assert.isTrue(whole, said)
        }),
      // Processes that start and end: on a machine that is busy with other things each of them takes its time.
      120_000
    )
  })
})
