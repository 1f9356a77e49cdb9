import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import { languageNames, packsOf } from "../../src/signals/built-in.ts"
import { patternFault, PatternSet } from "../../src/signals/Pattern.ts"
import { cosine, jaccard, Profile } from "../../src/signals/Tokens.ts"

const find = (patterns: ReadonlyArray<string>, text: string) => new PatternSet(patterns).find(new Profile(text))

describe("a pattern is found", () => {
  it.each([
    ["doesn't work", "It doesnt work.", "exact"],
    ["doesnt work", "It doesn’t work!", "exact"],
    ["no, i meant", "No - I meant the other one", "exact"],
    ["ça marche", "CA MARCHE", "exact"],
    ["weiß ich nicht", "weiss ich nicht", "exact"],
    ["give up", "I give   up", "exact"],
    ["this is not what i asked for", "this isnt what i asked for", "trigrams"],
    ["please transfer me to sales", "me to sales transfer", "tokens"]
  ] as const)("%j in %j (%s)", (pattern, text, how) => {
    expect(find([pattern], text)).toMatchObject({ how })
  })

  it("with where it stands in the text as it was written", () => {
    const text = "Well — THIS doesn’t  work, at all"
    const match = find(["doesn't work"], text)
    expect(text.slice(match?.start, match?.end)).toBe("doesn’t  work")
  })

  it("by its alternatives, and across a gap of one to three words", () => {
    const patterns = ["=(speak|talk) (to|with) (a|) manager", "=must call * first"]
    expect(find(patterns, "let me talk with manager Smith")?.pattern).toBe("talk with manager")
    expect(find(patterns, "you must call open the file first")?.how).toBe("exact")
    expect(find(patterns, "you must call first")).toBeUndefined()
    expect(find(patterns, "you must call one two three four first")).toBeUndefined()
  })

  it("with alternatives of several words, within a word, left out, and with gaps in them", () => {
    const calls = ["=(can|could) (you|somebody|) (please |)call (me|us * back)"]
    expect(find(calls, "could call me")).toBeDefined()
    expect(find(calls, "could you please call us some time back")).toBeDefined()
    expect(find(calls, "could you please call us")).toBeUndefined()
    expect(find(["=(un|dis)satisfied"], "I am dissatisfied")?.pattern).toBe("dissatisfied")
  })

  it("at the first place of the text, whatever the order of the patterns", () => {
    expect(find(["give up", "why bother"], "why bother, I give up")?.pattern).toBe("why bother")
  })
})

const Letter = Schema.Literals(["a", "b", "c"])
const Forms = Schema.NonEmptyArray(Schema.NonEmptyArray(Letter))

it.prop(
  "Of many patterns the first place counts, and of several there the longest",
  [Forms, Schema.Array(Letter)],
  ([forms, letters]) => {
    const standing = letters.map((_, at) =>
      forms
        .filter((form) => form.every((letter, index) => letters[at + index] === letter))
        .map((form) => form.join(" "))
        .toSorted((one, other) => other.length - one.length)
    )
    const expected = standing.find((found) => found.length > 0)?.[0]
    const patterns = forms.map((form) => `=${form.join(" ")}`)
    expect(find(patterns, letters.join(" "))?.pattern).toBe(expected)
  }
)

describe("a pattern is not found", () => {
  it.each([
    ["rep", "please prepare the report for the repository"],
    ["helpful", "that was unhelpful"],
    ["no i", "also no, go in there"],
    ["good", "goodbye"],
    // alike by their letters, but too short to go by that
    ["give up", "giving up"],
    ["=transfer me to sales", "transfer me to the sales"]
  ])("%j in %j", (pattern, text) => {
    expect(find([pattern], text)).toBeUndefined()
  })

  it("below the thresholds: 0.65 of the trigrams, 0.60 of the words", () => {
    const one = new Profile("we would like to see the other room")
    const other = new Profile("we would like a quieter table please")
    expect(jaccard(one.trigrams, other.trigrams)).toBeLessThan(0.65)
    expect(cosine(one, other)).toBeLessThan(0.6)
    expect(find([other.text], one.text)).toBeUndefined()
  })
})

describe("how a text begins", () => {
  it.each([
    ["ok then", true],
    ["Okra is a vegetable", false],
    ["goodbye", false],
    ["Good!", true]
  ])("%j: %s", (text, expected) => {
    expect(new PatternSet(["ok", "good"]).standsAt(new Profile(text), 0)).toBe(expected)
  })
})

describe("what is wrong with a pattern", () => {
  it.each(["(a|b", "a) b", "* first", "a *", "(|)", "…"])("%j is told", (pattern) => {
    expect(patternFault(pattern)).toBeTypeOf("string")
  })

  it("is told without making all the forms of a word first", () => {
    // 2^64 of them, which no memory holds
    expect(patternFault("(a|b)".repeat(64))).toContain("more than 2000 forms of one word")
  })

  it("is nothing in those that are built in", () => {
    const faults = packsOf(languageNames).flatMap(({ language, patterns }) =>
      Object.entries(patterns).flatMap(([family, list]) =>
        list.flatMap((pattern) => {
          const fault = patternFault(pattern)
          return fault === undefined ? [] : [`${language} ${family} ${pattern}: ${fault}`]
        })
      )
    )
    expect(faults).toEqual([])
  })

  it("compares a text that is empty, or nothing but signs, with nothing", () => {
    expect(find(["a b c"], "")).toBeUndefined()
    expect(find(["a b c"], "?!… 👍")).toBeUndefined()
    expect(jaccard(new Set(), new Set())).toBe(1)
    expect(jaccard(new Set(), new Set(["a"]))).toBe(0)
  })
})
