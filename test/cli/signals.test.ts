import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ask } from "../server/simulate/server.ts"
import { folderWith, millrace, serving } from "./running.ts"

const document = "providers: { simulator: { protocol: simulator } }\n"

const chat = (url: string, content: string) =>
  Effect.map(
    ask(`${url}/v1/chat/completions`, { body: { model: "simulator/echo", messages: [{ role: "user", content }] } }),
    ({ headers }) => String(headers["x-millrace-call-id"])
  )

describe("millrace signals", () => {
  it.live(
    "lists, samples and shows what calls have shown, of the database and of a server",
    () =>
      Effect.gen(function* () {
        const place = { folder: yield* folderWith("millrace.yaml", document) }
        const none = yield* millrace(place, "signals", "list")
        assert.deepInclude(none, { code: 0 })
        assert.include(none.stdout, "There are no such signals")
        const { stop, url } = yield* serving(place)
        const angry = yield* chat(url, "I give up, let me talk to a human")
        const calm = yield* chat(url, "Great, that helps a lot, thank you!")
        const read = millrace(place, "signals", "list", "--json", "--url", url)
        yield* Effect.repeat(read, { until: ({ stdout }) => stdout.includes(angry) && stdout.includes(calm) })
        yield* stop

        const flagged = yield* millrace(place, "signals", "list", "--flagged")
        assert.match(
          flagged.stdout,
          new RegExp(`${angry} +severe +0 +flagged +disengagement.escalation, disengagement.quit`)
        )
        assert.notInclude(flagged.stdout, calm)
        const sampled = yield* millrace(place, "signals", "sample", "--quality", "good", "--json")
        assert.deepStrictEqual(
          (JSON.parse(sampled.stdout) as ReadonlyArray<{ readonly call: string }>).map(({ call }) => call),
          [calm]
        )
        const shown = yield* millrace(place, "signals", "show", angry)
        assert.match(shown.stdout, /interaction\.disengagement +2 in this call \(severity 1\), 2 in the conversation/)
        const unknown = yield* millrace(place, "signals", "show", "call_x")
        assert.deepInclude(unknown, { code: 1 })
        assert.include(unknown.stderr + unknown.stdout, 'There are no signals of a call "call_x"')
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
    60_000
  )
})
