import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { AuditTrail } from "../../src/audit/AuditTrail.ts"
import { programLayer } from "../../src/config/layers.ts"
import { load } from "../../src/config/load.ts"
import { callOf, prompt } from "../../src/domain/prompt.ts"
import { Engine } from "../../src/engine/Engine.ts"

const file = fileURLToPath(new URL("../../examples/failover.yaml", import.meta.url))

/** Who was asked for each model, and why nobody was content with it. */
const courses = {
  busy: ["east: Overloaded", "west"],
  flaky: ["east: UpstreamServer", "east: UpstreamServer", "east"],
  silent: ["east: Timeout", "west"],
  slow: ["east", "west"]
}

it.live("the example of failover answers whatever fails", () =>
  Effect.gen(function* () {
    const configuration = yield* load({ config: file })
    yield* Effect.gen(function* () {
      const [engine, audit] = [yield* Engine, yield* AuditTrail]
      for (const [model, course] of Object.entries(courses)) {
        const { id, outcome } = yield* engine.run(callOf(prompt(model, "hello")))
        assert.strictEqual(outcome._tag, "Completed", model)
        const record = yield* Effect.repeat(audit.get(id), { until: (found) => found?.status === "ended" })
        const asked = record?.attempts.map(({ provider, failure }) =>
          failure === undefined ? provider : `${provider}: ${failure.reason._tag}`
        )
        assert.deepStrictEqual(asked, course, model)
      }
    }).pipe(Effect.provide(programLayer(configuration)))
  }).pipe(Effect.provide(NodeServices.layer))
)
