import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { folderWith, serving } from "../cli/running.ts"

const example = fileURLToPath(new URL("../../examples/calls.sh", import.meta.url))

const run = (url: string) =>
  Effect.callback<string, Error>((resume) => {
    execFile("bash", [example, url], (error, stdout) =>
      resume(error === null ? Effect.succeed(stdout) : Effect.fail(error))
    )
  })

it.live("the example of calls finds what it made", () =>
  Effect.gen(function* () {
    const server = yield* serving({ folder: yield* folderWith() })
    const [page = "", failed = "", ...csv] = (yield* run(server.url)).trimEnd().split("\n")
    const { data, nextCursor } = JSON.parse(page)
    assert.strictEqual(data[0].response.text, "I want a refund")
    assert.isString(nextCursor)
    assert.deepStrictEqual(
      JSON.parse(failed).data.map(({ caller }: { readonly caller: unknown }) => caller),
      [{ labels: { team: "ads" } }]
    )
    assert.lengthOf(csv, 4)
    assert.strictEqual(yield* server.stop, 0)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)
