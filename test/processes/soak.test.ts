import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { soak } from "../../bench/soak/run.ts"

it.live(
  "hundreds of calls whose providers fail at random end once each, as their clients saw it, and leave nothing",
  () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const { endings, faults, rescued } = yield* soak({ folder, seed: 7, calls: 400, concurrency: 32, parts: 2 })
      assert.deepStrictEqual(faults, [])
      for (const ending of ["whole", "told", "left"] as const) assert.isAbove(endings[ending], 10, ending)
      assert.isAbove(rescued, 0)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
  120_000
)
