import { describe, expect, it } from "vitest"
import { taxonomies } from "../../src/signals/built-in.ts"
import { assistant, named, read, toolCall, toolResult, user } from "./reading.ts"

const turns = { human: 3, assistant: 3 }
const { assess, types } = taxonomies.layered

describe("the layered taxonomy", () => {
  it("has 25 types in 7 categories of 3 layers", () => {
    expect(new Set(types)).toHaveLength(25)
    expect(new Set(types.map((type) => type.slice(0, type.lastIndexOf("."))))).toHaveLength(7)
    expect(new Set(types.map((type) => type.slice(0, type.indexOf("."))))).toHaveLength(3)
  })

  it("can reach every level of quality", () => {
    const levels = [
      { "interaction.satisfaction.gratitude": 2 },
      {},
      { "interaction.disengagement.negative_stance": 1 },
      { "interaction.disengagement.negative_stance": 1, "execution.failure.bad_query": 3 },
      { "interaction.disengagement.escalation": 1 }
    ].map((counts) => assess(counts, turns).quality)
    expect(levels).toEqual(["excellent", "good", "neutral", "poor", "severe"])
  })

  it("never calls a conversation severe, nor poor, for its length alone", () => {
    for (const human of [10, 50, 1000]) {
      const { efficiency, quality } = assess({ "interaction.stagnation.dragging": 1 }, { human, assistant: human })
      expect(quality).toBe("neutral")
      expect(efficiency).toBeLessThan(0.5)
    }
  })

  it("keeps scores from 0 to 100", () => {
    const many = { "execution.failure.invalid_args": 40, "environment.exhaustion.timeout": 40 }
    expect(assess(many, turns)).toMatchObject({ score: 0, quality: "severe" })
  })
})

describe("what is said", () => {
  it("raises no escalation where a word only begins like one", () => {
    const { flagged, quality, signals } = read([user("prepare the report, then reply and repeat"), assistant("done")])
    expect(signals).toEqual([])
    expect(quality).toBe("good")
    expect(flagged).toBe(false)
  })

  it("is read without code, and without what somebody quotes", () => {
    expect(named(read([user('translate "I give up" and ```this is useless```'), assistant("ok")]))).toEqual([])
    expect(named(read([user("> this is useless\nwhat did she mean by that?"), assistant("ok")]))).toEqual([])
    expect(named(read([user('"I give up"'), assistant("ok")]))).toEqual(["disengagement.quit@0"])
  })

  it("is turned into its opposite by a negation, in the same sentence", () => {
    expect(named(read([user("I don't want to talk to a human")]))).toEqual([])
    expect(named(read([user("I'm not happy. Let me talk to a human")]))).toEqual(["disengagement.escalation@0"])
  })

  it("drags on from the tenth turn of a person on, once", () => {
    const talk = (count: number) =>
      Array.from({ length: count }, (_, index) => [
        user(`question number ${index} about mills`),
        assistant("aha")
      ]).flat()
    expect(read(talk(9)).signals.some(({ type }) => type.endsWith("dragging"))).toBe(false)
    const tenth = read(talk(10))
    expect(named(tenth)).toContain("stagnation.dragging@19")
    expect(named(read(talk(12), tenth.memory))).not.toContain("stagnation.dragging@23")
  })

  it("with two marks alone flags nothing", () => {
    const joy = read([user("that looks different from yesterday!!"), assistant("yes")])
    expect(joy).toMatchObject({ signals: [], flagged: false })
    const three = read([user("what is that???"), assistant("a mill")])
    expect(named(three)).toEqual(["disengagement.negative_stance@0"])
    expect(three.flagged).toBe(false)
  })
})

describe("what tools are called with", () => {
  const calls = (...args: ReadonlyArray<string>) =>
    args.flatMap((written, index) => [toolCall("find", written, `${index}`), toolResult("nothing", `${index}`)])

  it("is the same whatever the order of its keys: a retry, no drift", () => {
    const { signals } = read([
      user("find it"),
      ...calls('{"id":7,"year":2025}', '{"year":2025,"id":7}', '{ "id": 7, "year": 2025 }')
    ])
    expect(signals).toMatchObject([{ type: "execution.loops.retry", message: 5, metadata: { tool_name: "find" } }])
  })

  it("drifts where it changes, but not within one message", () => {
    expect(named(read([user("find it"), ...calls('{"q":"a"}', '{"q":"b"}', '{"q":"c"}')]))).toEqual([
      "loops.parameter_drift@5"
    ])
    const atOnce = {
      role: "assistant" as const,
      parts: ["a", "b", "c"].map((q) => ({
        _tag: "ToolCall" as const,
        id: q,
        name: "find",
        arguments: JSON.stringify({ q })
      }))
    }
    expect(named(read([user("find it"), atOnce]))).toEqual([])
  })

  it("oscillates after three rounds of two to five tools, and is told once, by its earliest and longest", () => {
    const round = (names: ReadonlyArray<string>, times: number) =>
      Array.from({ length: times }, (_, n) => names.map((name) => toolCall(name, `{"n":${n}}`, `${n}${name}`))).flat()
    expect(named(read([user("go"), ...round(["edit", "build"], 2)]))).toEqual([])
    expect(named(read([user("go"), ...round(["edit", "build"], 4)]))).toEqual(["loops.oscillation@6"])
    expect(named(read([user("go"), ...round(["a", "b", "c", "d", "e"], 3)]))).toEqual(["loops.oscillation@15"])
  })
})

describe("what tools answer", () => {
  const answer = (text: string, failed = false) =>
    named(read([user("go"), toolCall("tool", "{}"), toolResult(text, "call", failed), assistant("ok")]))

  it("is told by what went wrong, a failure and an exhaustion each", () => {
    expect(answer('{"error":{"code":429,"message":"invalid parameter, too many requests"}}')).toEqual([
      "failure.invalid_args@2",
      "exhaustion.rate_limit@2"
    ])
  })

  it("is no error for a setting, a number or a word of prose", () => {
    expect(answer('{"timeout":30,"max_tokens":4096,"conflict":"none","error":null}')).toEqual([])
    expect(answer('{"rows":[[401],[500]]}')).toEqual([])
    expect(answer("The conflict ended in 1648; the maximum number of seats is 500.")).toEqual([])
  })

  it("counts at the beginning of a long content, and anywhere in what is marked as an error", () => {
    const long = `${"A page about mills. ".repeat(60)} Connection refused. ${"More about mills. ".repeat(60)}`
    expect(answer(long)).toEqual([])
    expect(answer(long.slice(0, 1900), true)).toEqual(["exhaustion.network@2"])
  })

  it("names the tool and the message with its call, and shows the place", () => {
    const { signals } = read([
      user("go"),
      toolCall("open", "{}", "1"),
      toolCall("other", "{}", "2"),
      toolResult(`${"é".repeat(80)} permission denied`, "1"),
      toolResult("fine", "2")
    ])
    expect(signals).toMatchObject([
      {
        message: 3,
        metadata: { tool_name: "open", call_message: 1 },
        snippet: `...${"é".repeat(49)} permission denied`
      }
    ])
  })
})
