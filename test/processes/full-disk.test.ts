import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { statSync } from "node:fs"
import { simulateServer } from "../../src/server/simulate/SimulateServer.ts"
import { errorOf, until } from "../server/running.ts"
import { ask, outcomes, placeFor, recordsAt, services, startServer, verifyRecords } from "./server-process.ts"

const canLimit = spawnSync("prlimit", ["--version"]).status === 0

/** Lets no file of a process grow beyond this. */
const limitFiles = (pid: number, bytes: number | "unlimited") =>
  Effect.sync(() => execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`]))

const story = "A long story that takes some room on the disk. ".repeat(300)
const asks = {
  "/v1/messages": { model: "messages/words-3?pace=1ms", max_tokens: 10 },
  "/v1/chat/completions": { model: "chat/words-3?pace=1ms", stream: true }
}

const askAll = (server: Parameters<typeof ask>[0], times: number) =>
  Effect.forEach(
    Array.from({ length: times }, () => Object.entries(asks)).flat(),
    ([path, body]) => ask(server, path, { body: { ...body, messages: [{ role: "user", content: story }] } }),
    { concurrency: "unbounded" }
  )

layer(services, { excludeTestServices: true })("a server whose disk is full", (it) => {
  it.effect.skipIf(!canLimit)(
    "refuses calls in the words of each dialect, lives, and goes on when there is room again",
    () =>
      Effect.gen(function* () {
        const simulator = yield* simulateServer({ port: 0 })
        const folder = yield* placeFor(simulator.url)
        const server = yield* startServer(folder)
        const good = [...(yield* askAll(server, 10))]
        for (const { status, text } of good) assert.strictEqual(status, 200, text)
        const idOf = ({ headers }: (typeof good)[number]) => String(headers["x-millrace-call-id"])

        yield* limitFiles(server.pid, statSync(`${folder}/millrace.db-wal`).size)
        const refused = (yield* askAll(server, 20)).filter(({ status }) => status !== 200)
        for (const seen of refused) {
          assert.strictEqual(seen.status, 503)
          assert.isAbove(Number(seen.headers["retry-after"]), 0)
          assert.match(errorOf(seen.text).message ?? "", /record could not be written/)
        }
        assert.sameMembers(
          [...new Set(refused.map(({ text }) => errorOf(text).type))],
          ["overloaded_error", "server_error"]
        )
        assert.strictEqual((yield* ask(server, "/healthz")).status, 200)

        yield* limitFiles(server.pid, "unlimited")
        yield* until(askAll(server, 1), (seen) => seen.every(({ status }) => status === 200))
        good.push(...(yield* askAll(server, 5)))
        const found = outcomes(yield* recordsAt(server))
        for (const seen of good) assert.strictEqual(found.get(idOf(seen)), "Completed")
        assert.notInclude([...found.values()], "open")
        yield* server.signal("SIGTERM")
        assert.strictEqual(yield* server.exitCode, 0, server.log())
        const { said, whole } = yield* verifyRecords(folder)
        assert.isTrue(whole, said)
      }),
    120_000
  )
})
