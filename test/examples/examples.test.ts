import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { Effect } from "effect"

const run = (path: string) =>
  Effect.callback<string, Error>((resume) => {
    execFile(process.execPath, ["--conditions=millrace-source", path], (error, stdout) =>
      resume(error === null ? Effect.succeed(stdout) : Effect.fail(error))
    )
  })

it.live("the documented pipeline runs and says what it promises", () =>
  Effect.gen(function* () {
    const printed = yield* run("examples/pipeline.ts")
    assert.deepStrictEqual(printed.trim().split("\n"), [
      "three ",
      "two ",
      "1 ",
      'completed: stop [{"_tag":"Text","id":"text","text":"three two 1 "}]',
      "recorded: Completed, 3 tokens"
    ])
  })
)

it.live("the documented server answers and keeps its records", () =>
  Effect.gen(function* () {
    const [answer, recorded] = (yield* run("examples/server.ts")).trim().split("\n")
    assert.deepNestedPropertyVal(JSON.parse(answer!), "choices[0].message.content", "You sent 1.")
    assert.strictEqual(recorded, "recorded: Completed")
  })
)

it.live("the documented analyzer stops a promise", () =>
  Effect.gen(function* () {
    const [outcome, parts, findings] = (yield* run("examples/analyzer.ts")).trim().split("\n")
    assert.deepInclude(JSON.parse(outcome!), { _tag: "Limited", filter: "promises", reason: "promise" })
    assert.deepInclude(JSON.parse(parts!)[0], { text: "I am sorry about the broken wheel. " })
    assert.deepInclude(JSON.parse(findings!)[0], { category: "stream.promise", action: "stopped" })
  })
)

it.live("the documented pack finds what it is for, once", () =>
  Effect.gen(function* () {
    const printed = yield* run("examples/signals.ts")
    assert.deepStrictEqual(printed.trim().split("\n"), [
      "severe: interaction.disengagement.escalation at message 2",
      "nothing new"
    ])
  })
)

it.live("the documented guardrail runs and says what it promises", () =>
  Effect.gen(function* () {
    const printed = yield* run("examples/guardrail.ts")
    assert.deepStrictEqual(printed.trim().split("\n"), [
      '{"_tag":"Refused","by":"no-promises","reason":"it makes a promise"}',
      '{"_tag":"Text","id":"text","text":"You said: write to [EMAIL], it is about the thing. Succe"}',
      '{"_tag":"Refusal","text":"I cannot promise that."}'
    ])
  })
)
