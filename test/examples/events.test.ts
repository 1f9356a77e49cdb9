import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { folderWith, millrace, serving } from "../cli/running.ts"

const example = fileURLToPath(new URL("../../examples/events.sh", import.meta.url))

const run = (url: string) =>
  Effect.callback<string, Error>((resume) => {
    execFile("bash", [example, url], (error, stdout) =>
      resume(error === null ? Effect.succeed(stdout) : Effect.fail(error))
    )
  })

it.live("the example of events tells of a run, and the call shows it", () =>
  Effect.gen(function* () {
    const place = { folder: yield* folderWith() }
    const server = yield* serving(place)
    const [early, told, call] = (yield* run(server.url))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.deepStrictEqual(early, { data: [{ id: "refund-1-look-up", status: "accepted" }] })
    assert.deepStrictEqual(
      told.data.map(({ status }: { readonly status: string }) => status),
      ["accepted", "accepted", "accepted", "accepted", "refused"]
    )
    assert.strictEqual(told.data[4].error.path, "events[4].value")
    assert.deepInclude(call.runs[0], { id: "refund-1", name: "refund agent", status: "completed" })
    for (const from of [[], ["--url", server.url]]) {
      const { stdout } = yield* millrace(place, "calls", "show", call.id, ...from)
      assert.match(stdout, /score useful +4: quite\n/)
      assert.match(stdout, /run +refund-1 \(refund agent\), completed, 4000 ms\n/)
      assert.match(stdout, / {2}step +ask\n/)
      assert.match(stdout, / {2}step, tool +look-up, failed, no such order/)
    }
    assert.strictEqual(yield* server.stop, 0)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)
