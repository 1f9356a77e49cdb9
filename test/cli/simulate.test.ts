import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Console, Deferred, Effect, Fiber } from "effect"
import { Command } from "effect/cli"
import { simulateCommand } from "../../src/cli/simulate.ts"
import { ask, askMessages, folderOf } from "../server/simulate/server.ts"

const run = (...flags: ReadonlyArray<string>) => Command.runWith(simulateCommand, { version: "0.0.0" })(flags)

/** Runs the command until it has said something; what it said, and the running fiber. */
const started = (...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const said = yield* Deferred.make<string>()
    const console: Console.Console = {
      ...globalThis.console,
      log: (text: string) => Deferred.doneUnsafe(said, Effect.succeed(text))
    }
    const fiber = yield* run(...flags).pipe(
      Effect.provideService(Console.Console, console),
      Effect.provide(NodeServices.layer),
      Effect.forkChild
    )
    return { fiber, text: yield* Deferred.await(said) }
  })

describe("millrace simulate", () => {
  it.live("says where it listens and what it serves, and stops when it is interrupted", () =>
    Effect.gen(function* () {
      const folder = yield* folderOf({
        "answers.json": '[{ "model": "greeter", "reply": "Good morning." }]',
        "recordings/one.sse": "data: 1\n\n"
      })
      const files = ["--script", `${folder}/answers.json`, "--replay", `${folder}/recordings`]
      const { fiber, text } = yield* started("--port", "0", ...files)
      const [, url = ""] = /simulator on (\S+)/.exec(text) ?? []
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
      assert.include(text, "greeter")
      assert.match(text, /Recordings +1,/)
      assert.include(text, `curl -N ${url}/v1/messages`)
      assert.strictEqual((yield* askMessages(url, "replay/one")).text, "data: 1\n\n")
      yield* Fiber.interrupt(fiber)
      assert.match((yield* Effect.flip(ask(`${url}/healthz`))).message, /ECONNREFUSED/)
    })
  )

  it.live("fails with what is wrong", () =>
    Effect.gen(function* () {
      const folder = yield* folderOf({ "answers.json": "{" })
      const error = yield* run("--port", "0", "--script", `${folder}/answers.json`).pipe(
        Effect.provide(NodeServices.layer),
        Effect.flip
      )
      assert.match(error.message, /answers\.json: is not JSON/)
    })
  )
})
