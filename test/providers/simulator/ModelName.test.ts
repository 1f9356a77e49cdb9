import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parseModelName, simulatedModels } from "../../../src/providers/simulator/ModelName.ts"

const parsed = (name: string) => Result.getOrThrow(parseModelName(name))
const refused = (name: string) => {
  const result = parseModelName(name)
  if (Result.isSuccess(result)) throw new Error(`${name} was read as a model`)
  return result.failure
}

describe("names of simulated models", () => {
  it("reads the kind and its number, and gives the number that stands for a missing one", () => {
    assert.strictEqual(parsed("words-7").count, 7)
    assert.strictEqual(parsed("words").count, 60)
    assert.strictEqual(parsed("tools").base, "tools")
    for (const name of simulatedModels) assert.strictEqual(parsed(name).name, name)
  })

  it("reads no more than what stands after the last slash", () => {
    assert.deepInclude(parsed("models/claude-sonnet-4-5/words-7?status=429&message=a/b"), { base: "words", count: 7 })
  })

  it("reads options with their units, in both ways of writing them", () => {
    const plain = parsed("words-20?seed=7&pace=20ms&first=1.5s&head=10&chunk=3&think=4").options
    assert.deepStrictEqual(parsed("words-20;seed=7;pace=20ms;first=1.5s;head=10;chunk=3;think=4").options, plain)
    assert.strictEqual(plain.seed, 7)
    assert.strictEqual(plain.paceMs, 20)
    assert.strictEqual(plain.firstMs, 1500)
    assert.strictEqual(plain.headMs, 10)
    assert.strictEqual(plain.chunk, 3)
    assert.strictEqual(plain.think, 4)
    assert.isUndefined(plain.fault)
  })

  it("reads faults", () => {
    assert.deepStrictEqual(parsed("echo?status=429&retry-after=2&message=slow%20down%26wait").options.fault, {
      _tag: "Status",
      status: 429,
      message: "slow down&wait",
      retryAfterMs: 2000
    })
    assert.deepStrictEqual(parsed("echo?hang").options.fault, { _tag: "Hang" })
    assert.deepStrictEqual(parsed("echo?reset=3").options.fault, { _tag: "Reset", after: 3 })
    assert.deepStrictEqual(parsed("echo?truncate").options.fault, { _tag: "Truncate", after: 0 })
    assert.deepStrictEqual(parsed("echo?error=2&status=529").options.fault, {
      _tag: "Error",
      after: 2,
      status: 529,
      message: undefined
    })
    assert.deepStrictEqual(parsed("echo?one-byte").options.splits, { _tag: "OneByte" })
    assert.deepStrictEqual(parsed("echo?split=9").options.splits, { _tag: "Random", seed: 9 })
  })

  it("says what is wrong with an option, and which there are", () => {
    const wrong = [
      ["echo?colour=blue", /no option "colour"; there are seed, /],
      ["echo?seed=x", /"seed" is a whole number from 0 to/],
      ["echo?pace=fast", /"pace" is a time such as 250ms or 2s, not "fast"/],
      ["echo?chunk=0", /"chunk" is a whole number from 1 to/],
      ["echo?status=200", /"status" is a whole number from 400 to 599/],
      ["echo?hang&reset=1", /only one of hang, reset/],
      ["echo?hang&status=500", /status cannot go with hang/],
      ["echo?retry-after=2", /go with status/],
      ["echo?one-byte&split=1", /only one of one-byte, split/],
      ["echo?status=500&message=%E0%A4", /percent-encoded/],
      ["echo?status=500&message=%zz", /percent-encoded/]
    ] as const
    for (const [name, message] of wrong) {
      const error = refused(name)
      assert.match(error.message, message, name)
      assert.deepStrictEqual(error.reason, { _tag: "InvalidRequest", kind: "type", path: "model" })
    }
  })

  it("knows no other names", () => {
    for (const name of [
      "",
      "gpt",
      "words-",
      "words-x",
      "echo-3",
      "words-100001",
      "Words-3",
      "constructor",
      "words 3"
    ]) {
      const { reason } = refused(name)
      assert.strictEqual(reason._tag, "UnknownModel", name)
      if (reason._tag === "UnknownModel") assert.deepStrictEqual(reason.near, [...simulatedModels])
    }
  })
})
