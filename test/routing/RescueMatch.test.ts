import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { ContinuationMatch, RestartMatch, type RescueMatch } from "../../src/routing/RescueMatch.ts"

/** What is new of a text that comes in pieces; undefined where it is another answer. */
const fed = (match: RescueMatch, pieces: ReadonlyArray<string>): string | undefined => {
  let out = ""
  for (const piece of pieces) {
    const text = match.take(piece)
    if (text === undefined) return undefined
    out += text
  }
  const left = match.end()
  return left === undefined ? undefined : out + left
}

/** A text cut at every single place, at every place at once, and not at all. */
const splits = (text: string): ReadonlyArray<ReadonlyArray<string>> => [
  [text],
  Array.from(text),
  ...Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)])
]

const expectAt = (make: () => RescueMatch, second: string, expected: string | undefined) => {
  for (const pieces of splits(second)) assert.strictEqual(fed(make(), pieces), expected, JSON.stringify(pieces))
}

const Texts = Schema.Array(Schema.Literals(["the", "mill", " ", "\n", "turns", "ä", "🌊", ""])).pipe(
  Schema.check(Schema.isMaxLength(8))
)

describe("a second answer from the beginning", () => {
  it("is new after what was sent, wherever that broke off and however it is cut", () => {
    const answer = "The mill turns slowly, day and night."
    for (let at = 0; at <= answer.length; at++) {
      expectAt(() => new RestartMatch(answer.slice(0, at)), answer, answer.slice(at))
    }
  })

  it("is another answer from the first difference on, and where it ends before what was sent", () => {
    expectAt(() => new RestartMatch("The mill turns"), "The mill stands still", undefined)
    expectAt(() => new RestartMatch("The mill turns"), "The mill", undefined)
    expectAt(() => new RestartMatch("The mill turns"), "", undefined)
  })

  it.prop("adds up to the second answer or is none, for any two texts", [Texts, Texts], ([one, other]) => {
    const [sent, second] = [one.join(""), other.join("")]
    const expected = second.startsWith(sent) ? second.slice(sent.length) : undefined
    expectAt(() => new RestartMatch(sent), second, expected)
  })
})

describe("a continuation", () => {
  const answer = "The old mill turns slowly under the bridge.\n\nNobody has opened its gate since spring."

  it("is what is new where it goes on exactly, wherever the answer broke off and however it is cut", () => {
    for (let at = 1; at <= answer.length; at++) {
      const sent = answer.slice(0, at)
      // The white space at the end of what was sent is not given to the model, which then says it itself.
      const rest = answer.slice(sent.trimEnd().length)
      for (const pieces of splits(rest)) {
        assert.strictEqual(sent + fed(new ContinuationMatch(sent), pieces), answer, JSON.stringify([sent, pieces]))
      }
    }
  })

  it("is what is new where it says the whole answer once more", () => {
    for (let at = 1; at <= answer.length; at++) {
      const sent = answer.slice(0, at)
      for (const pieces of [[answer], Array.from(answer)]) {
        assert.strictEqual(sent + fed(new ContinuationMatch(sent), pieces), answer, JSON.stringify(sent))
      }
    }
  })

  it("is what is new where it repeats the last words", () => {
    const sent = "The old mill turns slowly under the bri"
    expectAt(() => new ContinuationMatch(sent), "under the bridge.", "dge.")
    expectAt(() => new ContinuationMatch(`${sent}dge `), "under the bridge at night.", "at night.")
  })

  it("keeps what the model means to say twice", () => {
    expectAt(() => new ContinuationMatch("It is very"), " very cold", " very cold")
    expectAt(() => new ContinuationMatch("</div>\n"), "</div>\n</body>", "</body>")
    expectAt(() => new ContinuationMatch("<p>a</p></div>\n"), "</div>\n</body>", "</div>\n</body>")
    expectAt(() => new ContinuationMatch("| 1 | 100 |"), " 100 | 3 |", " 100 | 3 |")
    expectAt(() => new ContinuationMatch("round and round and round"), " and round", " and round")
  })

  it("is another answer where it begins the same one anew and goes elsewhere", () => {
    const sent = "The old mill turns slowly under the bridge and"
    expectAt(() => new ContinuationMatch(sent), "The old mill turns slowly under the moon.", undefined)
  })

  it.prop("is the same however it is cut, for any two texts", [Texts, Texts], ([one, other]) => {
    const [sent, second] = [one.join(""), other.join("")]
    expectAt(() => new ContinuationMatch(sent), second, fed(new ContinuationMatch(sent), [second]))
  })

  it.prop("leaves out nothing but the end of what was sent", [Texts, Texts], ([one, other]) => {
    const [sent, second] = [one.join(""), other.join("")]
    const left = fed(new ContinuationMatch(sent), [second])
    if (left === undefined) return
    assert.isTrue(second.endsWith(left))
    assert.isTrue(sent.endsWith(second.slice(0, second.length - left.length)))
  })
})

describe("a text that is like itself wherever it is looked at", () => {
  it("is compared with its end alone, where it may be repeated", () => {
    const words = "中".repeat(200_000)
    assert.strictEqual(fed(new ContinuationMatch(`a ${words}`), [`${words} end`]), `${words} end`)
    const end = `b ${"中".repeat(8000)}`
    assert.strictEqual(fed(new ContinuationMatch(`a ${words} ${end}`), [`${end} end`]), " end")
  })
})
