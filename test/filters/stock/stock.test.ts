import { assert, describe, it } from "@effect/vitest"
import { Effect, type Result, Schema } from "effect"
import type { LlmRequest } from "../../../src/domain/LlmRequest.ts"
import type { Filter } from "../../../src/filters/Filter.ts"
import { watchJson } from "../../../src/filters/stock/watchJson.ts"
import { language } from "../../../src/filters/stock/language.ts"
import { maxLength } from "../../../src/filters/stock/limits.ts"
import { redact } from "../../../src/filters/stock/redact.ts"
import { block, replace, stopWords } from "../../../src/filters/stock/words.ts"
import { answerOf, filtered, usable } from "../applying.ts"
import { everySplit, someSplits } from "../splits.ts"

const schema = {
  type: "object",
  properties: {
    kind: { enum: ["cat", "dog"] },
    legs: { type: "integer", maximum: 8 },
    names: { type: "array", items: { type: "string", maxLength: 4 }, maxItems: 2 }
  },
  required: ["kind"],
  additionalProperties: false
}

/** Every stock filter of answers, with texts that it lets pass, changes and ends. */
const cases: ReadonlyArray<{
  readonly name: string
  readonly filter: Filter | Result.Result<Filter, string>
  readonly short: ReadonlyArray<string>
  readonly long: ReadonlyArray<string>
  readonly letters: ReadonlyArray<string>
  readonly request?: LlmRequest
}> = [
  {
    name: "redact, to replace",
    filter: redact({ name: "pii" }),
    short: ["a a@b.co.", "1.2.3.4 5"],
    long: [
      "Write to jane.doe+x@example.co.uk or call +49 (30) 1234-5678; card 4111 1111 1111 1111, no card 4111 1111 1111 1112.",
      "IBAN DE89 3704 0044 0532 0130 00 of 2024-05-17, host 10.0.0.1 and 2001:db8::8a2e:370:7334 at 10:20:30"
    ],
    letters: ["a", "@", "b.co", " ", "4111", "-", "1", "+49 30 1234567", "10.1.1.1"]
  },
  {
    name: "redact, to mask",
    filter: redact({ name: "pii", packs: ["card", "email"], action: "mask" }),
    short: ["x a@b.com!"],
    long: ["4111-1111-1111-1111 and jane@example.org"],
    letters: ["4111", "1111", "-", " ", "j@e.org"]
  },
  {
    name: "redact, patterns of one's own",
    filter: redact({
      name: "own",
      patterns: [
        { name: "ticket", pattern: "t-[0-9]+" },
        { name: "name", pattern: "(?i)bob+", with: "B." }
      ]
    }),
    short: ["T-1 t-12 b", "xBOBBBy t-"],
    long: ["ask Bob about t-1234 and t-, and bobby about t-5"],
    letters: ["t", "-", "1", "b", "o", "B", " "]
  },
  {
    name: "block, to refuse",
    filter: block({ name: "block", words: ["bad word", "evil", "señor x"] }),
    short: ["an evil b", "devil evi", "a bad  word", "bad\u00a0word", "sen\u0303or\nx"],
    long: ["nothing here is evildoing, but some of it is EVIL, is it?"],
    letters: ["evil", "e", "v", "il", " ", "bad", "word"]
  },
  {
    name: "block, to hide",
    filter: block({ name: "block", words: ["evil"], withinWords: true, action: "hide" }),
    short: ["evilevile", "xevi evil"],
    long: ["a devil, an EVIL one"],
    letters: ["e", "v", "i", "l", "evil"]
  },
  {
    name: "stop words",
    filter: stopWords({ name: "stop", words: ["END", "###", "\n\n"] }),
    short: ["a ENEND b", "a ## ###", "a b\nc\n\nd"],
    long: ["this is it. END of it"],
    letters: ["E", "N", "D", "#", "##"]
  },
  {
    name: "replace",
    filter: replace({
      name: "say",
      rules: [
        { text: "colour", with: "color" },
        { pattern: "([a-z])-([a-z])", with: "$2$$$1<$&>" }
      ]
    }),
    short: ["a-b-c d", "colour-c"],
    long: ["the colour of a-b is colourful"],
    letters: ["col", "our", "-", "a", "b"]
  },
  {
    name: "maximum length",
    filter: maxLength({ name: "short", characters: 6 }),
    short: ["1234567", "😀😀😀😀😀", "123456"],
    long: ["this is too long 😀"],
    letters: ["a", "😀"]
  },
  {
    name: "schema watch",
    filter: watchJson({ name: "json", schema }),
    short: ['{"kind":1}', '{"x":1}', '{"legs":9}', "[1]"],
    long: [
      '{"kind":"cat","legs":4,"names":["a","bc"]}',
      '{ "legs" : 8 , "kind" : "dog" } ',
      '{"kind":"cow"}',
      '{"legs":4}',
      '{"kind":"cat","legs":1.5}',
      '{"kind":"cat","names":["Rosalind"]}',
      '{"kind":"cat","names":["a","b","c"]}',
      '{"kind":"c\\u0061t"}',
      'Here you are: {"kind":"cat"}'
    ],
    letters: ['{"kind":', '"cat"', '"', "}", "1", ",", '"legs":']
  },
  {
    name: "language",
    filter: language({ name: "lang", allow: ["en"], words: 8 }),
    short: ["hola a x", "это язык"],
    long: [
      "The answer to the question is that it is not in the book that you have.",
      "Die Antwort auf die Frage ist nicht in dem Buch, das Sie haben, und wir wissen es auch nicht.",
      "The first sentence is in the language that you have. 这个问题的答案不在您拥有的书中而在别处也没有人知道它到底在哪里，真的没有人知道它到底在哪里"
    ],
    letters: ["die ", "the ", "und ", "of ", "x ", "那"]
  },
  {
    name: "language, held back",
    filter: language({ name: "lang", allow: ["en"], words: 8, hold: true }),
    short: ["a b c d e"],
    long: [
      "Die Antwort auf die Frage ist nicht in dem Buch, das Sie haben.",
      "The answer to the question is that it is not in the book."
    ],
    letters: ["die ", "the ", "und ", "of "]
  }
]

describe("what leaves of an answer is the same for every way to cut it:", () => {
  for (const { name, filter: made, short, long, letters, request } of cases) {
    const filter = usable(made)
    const leaves = (pieces: ReadonlyArray<string>) =>
      Effect.map(filtered(filter, answerOf("text", pieces), undefined, request), ({ text, ending }) => ({
        text,
        verdict: ending?.verdict
      }))

    it.effect(name, () =>
      Effect.gen(function* () {
        for (const text of short) {
          const whole = yield* leaves([text])
          for (const pieces of everySplit(text)) assert.deepStrictEqual(yield* leaves(pieces), whole, pieces.join("|"))
        }
        for (const text of long) {
          const whole = yield* leaves([text])
          for (const pieces of someSplits(text, 12))
            assert.deepStrictEqual(yield* leaves(pieces), whole, pieces.join("|"))
        }
      })
    )

    it.effect.prop(`${name}, of any text`, [Schema.Array(Schema.Literals(letters))], ([parts]) =>
      Effect.gen(function* () {
        const whole = yield* leaves([parts.join("")])
        for (const pieces of [parts, ...someSplits(parts.join(""), 2)])
          assert.deepStrictEqual(yield* leaves(pieces), whole)
      })
    )

    for (const kind of ["reasoning", "tools"] as const) {
      it.effect(`${name}, in ${kind}`, () =>
        Effect.gen(function* () {
          for (const text of [...short, ...long]) {
            const written = kind === "tools" ? JSON.stringify({ said: text }) : text
            const through = (pieces: ReadonlyArray<string>) =>
              Effect.map(filtered(filter, answerOf(kind, pieces)), ({ text, ending }) => ({
                text,
                verdict: ending?.verdict
              }))
            const whole = yield* through([written])
            for (const pieces of someSplits(written, 3)) assert.deepStrictEqual(yield* through(pieces), whole)
          }
        })
      )
    }
  }
})

describe("what is written in a setting", () => {
  const leaves = (made: Result.Result<Filter, string>, text: string) =>
    Effect.map(filtered(usable(made), answerOf("text", [text])), ({ text }) => text)

  it.effect("is what it says where an answer is to end or to say otherwise: white space too", () =>
    Effect.gen(function* () {
      const text = "a b\nc\n\nd"
      assert.strictEqual(yield* leaves(stopWords({ name: "stop", words: ["\n\n"] }), text), "a b\nc")
      const rules = [{ text: "\n\n", with: "|" }]
      assert.strictEqual(yield* leaves(replace({ name: "say", rules }), text), "a b\nc|d")
    })
  )

  it.effect("is what it reads as where it lists words: across lines, and with marks apart from their letters", () =>
    Effect.gen(function* () {
      const hide = block({ name: "block", words: ["señor wood"], action: "hide" })
      for (const said of ["señor wood", "Señor\u00a0wood", "sen\u0303or\n wood"]) {
        assert.strictEqual(yield* leaves(hide, `my ${said}!`), `my ${"*".repeat(Array.from(said).length)}!`)
      }
      assert.strictEqual(yield* leaves(hide, "señor woods"), "señor woods")
    })
  )

  it.effect("means by $1 what its group took there, of words with any letters", () =>
    Effect.gen(function* () {
      const rules = [{ pattern: "\\b(élan)\\b", with: "«$1»" }]
      assert.strictEqual(yield* leaves(replace({ name: "say", rules }), "un élan vital"), "un «élan» vital")
    })
  )
})

describe("patterns of one's own that have no bound", () => {
  const long = `so ${"x".repeat(600)}y it is`
  const makers: { readonly [kind: string]: (longest?: object) => Result.Result<Filter, string> } = {
    block: (longest) => block({ name: "own", patterns: ["x+y"], action: "hide", ...longest }),
    redact: (longest) => redact({ name: "own", patterns: [{ name: "x", pattern: "x+y" }], action: "mask", ...longest }),
    replace: (longest) => replace({ name: "own", rules: [{ pattern: "x+y", with: "*" }], ...longest })
  }
  for (const [kind, make] of Object.entries(makers)) {
    it.effect(`are seen as far as they are told to be, in whatever pieces: ${kind}`, () =>
      Effect.gen(function* () {
        for (const pieces of someSplits(long, 4)) {
          const far = yield* filtered(usable(make({ longest: 1000 })), answerOf("text", pieces))
          assert.match(far.text, /^so \*+ it is$/)
          const usual = yield* filtered(usable(make()), answerOf("text", pieces))
          assert.match(usual.text, /^so x{345}\*+ it is$/)
        }
      })
    )
  }
})
