import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { simulateServer } from "../../src/server/simulate/SimulateServer.ts"
import { untilTrue } from "../server/client.ts"
import { until } from "../server/running.ts"
import { describeDatabases } from "../storage/databases.ts"
import {
  call,
  idsOf,
  outcomes,
  placeOn,
  recordsAt,
  services,
  startServer,
  type ServerProcess
} from "./server-process.ts"

/** Calls under way, and calls that have ended; none of them at the same point. */
const load = Effect.fnUntraced(function* (server: ServerProcess, count: number) {
  const long = Array.from({ length: count }, (_, index) => call(server, `messages/words-90000?pace=${index + 5}ms`))
  const short = Array.from({ length: count }, (_, index) => call(server, `messages/words-${index + 1}?pace=1ms`))
  yield* untilTrue(() => long.every(({ text }) => text().length > 2000))
  yield* untilTrue(() => short.every(({ ended }) => ended() === "end"))
  return { long, short }
})

// Processes that start and end: on a machine that is busy with other things each of them takes its time.
const timeout = 120_000

describeDatabases("a process", (kind) => {
  layer(services, { excludeTestServices: true })("a server that is killed", (it) => {
    it.effect(
      "has lost no call, and none twice, when it starts again",
      () =>
        Effect.gen(function* () {
          const simulator = yield* simulateServer({ port: 0 })
          const folder = yield* placeOn(kind, simulator.url)
          let before: ReadonlyMap<string, string | undefined> = new Map()
          const acknowledged: Array<string> = []
          for (let round = 0; round < 2; round++) {
            const server = yield* startServer(folder)
            // What a dead process left open has its ending by the time that the next one answers.
            const recovered = outcomes(yield* recordsAt(server))
            for (const id of acknowledged) assert.isTrue(recovered.has(id), id)
            assert.notInclude([...recovered.values()], "open")
            for (const [id, outcome] of before) if (outcome !== "open") assert.strictEqual(recovered.get(id), outcome)

            const { long, short } = yield* load(server, 8)
            // The end of a call is in the records soon after its caller has it.
            const settled = (found: ReadonlyMap<string, unknown>) =>
              idsOf(short).every((id) => found.get(id) === "Completed")
            before = yield* until(Effect.map(recordsAt(server), outcomes), settled)
            for (const id of idsOf(long)) assert.strictEqual(before.get(id), "open")
            // Killed while calls begin: some are acknowledged by then, some are not, and none can have ended.
            const late = Array.from({ length: 20 }, () => call(server, "messages/words-90000?pace=1ms"))
            yield* untilTrue(() => idsOf(late).length > 3)
            yield* server.signal("SIGKILL")
            assert.isUndefined(yield* server.exitCode)
            yield* untilTrue(() => [...long, ...late].every(({ ended }) => ended() === "broken"))
            acknowledged.push(...idsOf(long), ...idsOf(short), ...idsOf(late))
          }

          const server = yield* startServer(folder)
          const records = yield* recordsAt(server)
          const found = outcomes(records)
          assert.strictEqual(found.size, records.length)
          for (const [id, outcome] of before) {
            assert.strictEqual(found.get(id), outcome === "open" ? "Interrupted" : outcome)
          }
          for (const id of acknowledged) assert.include(["Completed", "Interrupted"], found.get(id), id)
          yield* server.signal("SIGTERM")
          assert.strictEqual(yield* server.exitCode, 0)
          // The providers were let go by the kernel, not by anything that the dead could still do.
          yield* untilTrue(() => simulator.log.stats().requests.open === 0)
        }),
      timeout
    )

    it.effect(
      "takes only its own calls with it, where others use its database",
      () =>
        Effect.gen(function* () {
          const simulator = yield* simulateServer({ port: 0 })
          const folder = yield* placeOn(kind, simulator.url)
          const [first, second] = yield* Effect.all([startServer(folder), startServer(folder)], { concurrency: 2 })
          const [dying, living] = yield* Effect.all([load(first, 4), load(second, 4)], { concurrency: 2 })
          yield* first.signal("SIGKILL")
          yield* first.exitCode

          // A third process finds the dead one's calls when it starts; the second is alive and keeps its own.
          const third = yield* startServer(folder)
          const found = outcomes(yield* recordsAt(third))
          for (const id of idsOf(dying.long)) assert.strictEqual(found.get(id), "Interrupted")
          for (const id of idsOf(living.long)) assert.strictEqual(found.get(id), "open")
          assert.isTrue(living.long.every(({ ended }) => ended() === undefined))

          yield* second.signal("SIGKILL")
          yield* second.exitCode
          // Here nobody starts: the living neighbour notices by itself.
          const later = yield* until(Effect.map(recordsAt(third), outcomes), (now) =>
            idsOf(living.long).every((id) => now.get(id) !== "open")
          )
          for (const id of [...idsOf(dying.long), ...idsOf(living.long)])
            assert.strictEqual(later.get(id), "Interrupted")
          assert.strictEqual(later.size, 16)
        }),
      timeout
    )
  })
})
