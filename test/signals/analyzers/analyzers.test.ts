import { describe, expect, it } from "vitest"
import { degenerate } from "../../../src/signals/analyzers/degenerate.ts"
import { languageOf, languageSwitch } from "../../../src/signals/analyzers/language.ts"
import { refusal } from "../../../src/signals/analyzers/refusal.ts"
import { repetition } from "../../../src/signals/analyzers/repetition.ts"
import { languageNames } from "../../../src/signals/built-in.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { Analyzer } from "../../../src/signals/Analyzer.ts"
import { requestOf, user } from "../reading.ts"
import { germanProse, prose, watched } from "./watched.ts"

const loops = repetition("loops")
const noise = degenerate("noise")
const switches = languageSwitch("switches")
const declines = refusal("declines", languageNames)

const loop = `${prose} ${"and then the wheel turns again, ".repeat(20)}`
const cyrillic = "Водяная мельница превращает падение ручья в работу. Колесо сидит на валу, и вал приводит камни. "

describe("repetition", () => {
  it("is noticed soon, with what is repeated", () => {
    const [found] = watched(loops, loop, 1)
    expect(found).toMatchObject({ category: "repetition", severity: "high" })
    expect(found?.excerpt).toContain("wheel turns again")
    // five times thirty-two characters are too few, and it looks every 128
    expect(found?.by).toBeLessThan(prose.length + 240 + 2 * 128)
  })

  it.each([
    ["prose", prose],
    ["a table", `| mill | wheels |\n|${"-".repeat(400)}|\n`],
    ["a rule", "=".repeat(600)],
    ["a few rounds", "row, row, row your boat. ".repeat(4) + prose],
    ["a list", Array.from({ length: 60 }, (_, n) => `- mill number ${n} has ${n % 7} wheels`).join("\n")]
  ])("is not seen in %s", (_, text) => {
    expect(watched(loops, text, 7)).toEqual([])
  })
})

describe("degenerate output", () => {
  it.each([
    ["one character", prose + "a".repeat(400)],
    ["a word without an end", prose + "mill".repeat(200)],
    ["a handful of words", prose + "no yes no no yes maybe ".repeat(100).replaceAll("yes no", "yes  no")],
    ["what could not be read", `${prose}${"\uFFFD x ".repeat(30)}`]
  ])("is noticed: %s", (_, text) => {
    expect(watched(noise, text, 5)[0]).toMatchObject({ category: "degenerate" })
  })

  it.each([
    ["prose", prose + germanProse],
    ["encoded data", Buffer.from(prose).toString("base64")],
    ["a list of numbers", Array.from({ length: 500 }, (_, n) => n).join(", ")],
    ["Chinese", "水车把溪流的落差变成功。轮子装在轴上,轴带动石磨。".repeat(4) + "磨坊主听着石头的声音,用手调整距离。"],
    ["lines", `${"-".repeat(300)}\n${"=".repeat(300)}\n${"*".repeat(300)}`]
  ])("is not seen in %s", (_, text) => {
    expect(watched(noise, text, 5)).toEqual([])
  })
})

describe("a switch of languages", () => {
  it.each([
    ["to another language", `${prose} ${germanProse} ${germanProse}`, "en → de"],
    ["to another script", prose + cyrillic.repeat(8), "en → Cyrillic"]
  ])("%s is noticed", (_, text, excerpt) => {
    expect(watched(switches, text, 11)[0]).toMatchObject({ category: "language", excerpt })
  })

  it.each([
    ["one language", prose + prose],
    ["a quotation", `${prose} ${germanProse.slice(0, 200)} ${prose}`],
    ["code", `${prose}\n\`\`\`\n${germanProse}${germanProse}\n\`\`\`\n${prose}`]
  ])("is not seen in %s", (_, text) => {
    expect(watched(switches, text, 11)).toEqual([])
  })

  it("is told from too little text by nobody", () => {
    expect(languageOf("ok")).toBeUndefined()
    expect(languageOf(prose.slice(0, 240))).toBe("en")
    expect(languageOf(germanProse)).toBe("de")
  })
})

describe("a refusal", () => {
  it.each([
    "I'm sorry, but I can't help with that.",
    "I cannot assist with this request. " + prose,
    "Das tut mir leid, aber dabei kann ich dir nicht helfen.",
    "Je suis désolé, mais je ne peux pas répondre à cette question.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "As an AI language model, I am unable to do that."
  ])("is noticed in %j", (text) => {
    expect(watched(declines, text, 3)[0]).toMatchObject({ category: "refusal", severity: "low" })
  })

  it.each([
    prose,
    `${prose} "I'm sorry, but I can't help with that," said the miller.`,
    "You can't park here, I'm afraid, but the miller can help with the gate.",
    "Sorry to hear that your wheel is broken. Here is how to mend it."
  ])("is not seen in %j", (text) => {
    expect(watched(declines, text, 3)).toEqual([])
  })

  it("is noticed where the provider says so itself", () => {
    const event = (said: LlmEvent) => declines.watch(requestOf(user("x"))).event(said, 0)
    expect(event({ _tag: "RefusalDelta", text: "No." })).toMatchObject({ category: "refusal" })
    expect(event({ _tag: "Finish", reason: "refusal", usage: { source: "none" } })).toBeDefined()
  })
})

describe("what is noticed", () => {
  it.each<[string, Analyzer, string]>([
    ["repetition", loops, loop],
    ["noise", noise, prose + "a".repeat(600)],
    ["language", switches, `${prose} ${germanProse} ${germanProse}`],
    ["refusal", declines, "I'm sorry, but I can't help with that. ".repeat(3) + prose]
  ])("does not depend on how the text comes in pieces (%s)", (_, analyzer, text) => {
    const whole = watched(analyzer, text).map(({ category, excerpt }) => [category, excerpt])[0]
    for (const piece of [1, 2, 3, 17, 64, 127, 128, 129, 500]) {
      expect(watched(analyzer, text, piece).map(({ category, excerpt }) => [category, excerpt])[0]).toEqual(whole)
    }
  })
})
