import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readEvent } from "../../../src/audit/events/readEvent.ts"

const now = Date.UTC(2026, 10, 21)
const run = { type: "run", id: "1", run: "r" }
const score = { type: "score", id: "1", name: "useful", call: "call_1" }

const refusalOf = (value: unknown) => {
  const read = readEvent(value, now)
  return Result.isFailure(read) ? read.failure : assert.fail(`accepted ${JSON.stringify(value)}`)
}

describe("an event that cannot be kept", () => {
  it.each([
    ["no object", [], undefined, /JSON object/],
    ["no type", { id: "1" }, "type", /one of run, step, score, note/],
    ["another type", { ...run, type: "start" }, "type", /one of run/],
    ["without an id", { type: "run", run: "r" }, "id", /^id is missing$/],
    ["an empty id", { ...run, id: "" }, "id", /1 to 200 characters/],
    ["an id that is null", { ...run, id: null }, "id", /^id is missing$/],
    ["a line break in a name", { ...run, name: "a\nb" }, "name", /control characters/],
    ["a long name", { ...run, name: "x".repeat(201) }, "name", /1 to 200 characters/],
    ["half of a surrogate pair", { ...run, run: "\ud800" }, "run", /text/],
    ["a step without its run", { type: "step", id: "1", step: "s" }, "run", /^run is missing$/],
    ["another status", { ...run, status: "done" }, "status", /running, completed, failed, cancelled/],
    ["a field that there is not", { ...run, stats: "x" }, "stats", /no field of a run, which has type, id/],
    ["a time in words", { ...run, at: "yesterday" }, "at", /2026-11-21T08:00:00Z/],
    ["a time of which only a part is there", { ...run, at: "12" }, "at", /2026-11-21T08:00:00Z/],
    ["a time of another type", { ...run, at: true }, "at", /has to be a time/],
    ["a time in seconds", { ...run, at: now / 1000 }, "at", /in seconds/],
    ["a time long ago", { ...run, at: "1999-12-31T00:00:00Z" }, "at", /before the year 2000/],
    ["a time far ahead", { ...run, at: "2026-11-23T00:00:00Z" }, "at", /a day ahead/],
    ["a score of nothing", { type: "score", id: "1", name: "useful", value: 1 }, "call", /name its call, or its run/],
    ["a score that says nothing", score, "value", /without a value or a comment/],
    ["a value of another type", { ...score, value: [1] }, "value", /a number, true, false, or a text/],
    ["a step of no run", { ...score, value: 1, step: "s" }, "run", /name the run too/],
    ["one that is too long", { ...run, output: "x".repeat(70_000) }, undefined, /more than 65536; shorten/],
    ["one that is too deep", { ...run, output: JSON.parse("[".repeat(70) + "]".repeat(70)) }, undefined, /64 levels/]
  ])("%s", (_, value, path, message) => {
    const refusal = refusalOf(value)
    assert.strictEqual(refusal.reason, "invalid")
    assert.strictEqual(refusal.path, path)
    assert.match(refusal.message, message)
  })

  it("is told all that is wrong with it at once", () => {
    const { message } = refusalOf({ type: "step", id: 1, run: 2, step: 3, kind: 4 })
    assert.match(message, /^id .*; run .*; step .*; and 1 more$/)
  })
})

describe("an event that can", () => {
  it("is the same with nulls as without, and at the same moment however that is written", () => {
    const plain = { ...run, at: Date.UTC(2026, 0, 1) }
    for (const same of [
      { ...plain, name: null, output: null, call: null },
      { ...run, at: "2026-01-01T00:00:00Z" },
      { ...run, at: "2026-01-01T01:00:00+01:00" }
    ]) {
      assert.deepStrictEqual(Result.getOrThrow(readEvent(same, now)), plain as never)
    }
  })

  it("may be as long and deep as is said", () => {
    for (const output of ["x".repeat(65_400), JSON.parse("[".repeat(63) + "]".repeat(63))]) {
      assert.isTrue(Result.isSuccess(readEvent({ ...run, output }, now)))
    }
  })
})
