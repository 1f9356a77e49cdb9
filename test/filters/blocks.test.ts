import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { LlmError } from "../../src/domain/LlmError.ts"
import { prompt } from "../../src/domain/prompt.ts"
import { block, replace } from "../../src/filters/stock/words.ts"
import { redact } from "../../src/filters/stock/redact.ts"
import { filtered, testContext, usable } from "./applying.ts"
import { everySplit } from "./splits.ts"

type Kind = "Text" | "Reasoning"

const finish: LlmEvent = { _tag: "Finish", reason: "stop", usage: { source: "none" } }

/** An answer of blocks, each in its pieces. */
const answerIn = (kind: Kind, blocks: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<LlmEvent> => [
  { _tag: "Started", id: "answer", model: "model" },
  ...blocks.flatMap((pieces, index): ReadonlyArray<LlmEvent> => {
    const id = `block ${index}`
    return [
      { _tag: `${kind}Start`, id },
      ...pieces.map((text): LlmEvent => ({ _tag: `${kind}Delta`, id, text })),
      { _tag: `${kind}End`, id }
    ]
  }),
  finish
]

/** What is said in each block. */
const blocksOf = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<string> => {
  const said = new Map<string, string>()
  for (const event of events) {
    if (event._tag === "TextStart" || event._tag === "ReasoningStart") said.set(event.id, "")
    if (event._tag === "TextDelta" || event._tag === "ReasoningDelta")
      said.set(event.id, `${said.get(event.id) ?? ""}${event.text}`)
  }
  return [...said.values()]
}

const mail = usable(redact({ name: "mail", packs: ["email"] }))
const card = usable(redact({ name: "card", packs: ["card"] }))
const word = usable(block({ name: "word", words: ["start"], action: "hide" }))
const twice = usable(replace({ name: "twice", rules: [{ text: "aba", with: "(aba)" }] }))

describe("the words of what is heard", () => {
  const heard = (piece: string, index: number): LlmEvent => ({
    _tag: "Opaque",
    protocol: "openai-chat",
    value: { audio: { id: `sound ${index}`, data: "QUJD", transcript: piece } },
    textAt: ["audio", "transcript"]
  })
  const answer = (pieces: ReadonlyArray<string>) => [...pieces.map(heard), finish]

  /** What is said in all of them, and how much there is to hear. */
  const heardIn = (events: ReadonlyArray<LlmEvent>) => {
    const sounds = events.flatMap((event) => (event._tag === "Opaque" ? [JSON.stringify(event.value)] : []))
    const texts = sounds.map((sound) => /"transcript":"([^"]*)"/.exec(sound)?.[1] ?? "")
    return { text: texts.join(""), sounds: sounds.filter((sound) => sound.includes("QUJD")).length }
  }

  it.effect("are hidden, wherever their pieces end, and every sound goes once", () =>
    Effect.gen(function* () {
      const secret = "to jo@ab.com now"
      for (let first = 1; first < secret.length; first++) {
        for (let second = first; second < secret.length; second++) {
          const pieces = [secret.slice(0, first), secret.slice(first, second), secret.slice(second)]
          const { events } = yield* filtered(mail, answer(pieces))
          assert.deepStrictEqual(heardIn(events), { text: "to [EMAIL] now", sounds: 3 }, pieces.join("|"))
          assert.strictEqual(events.at(-1), finish)
        }
      }
    })
  )

  it.effect("pass as they are where there is nothing to hide, and what else they say is read too", () =>
    Effect.gen(function* () {
      const events = answer(["to jo@ab", " now"])
      const seen = yield* filtered(mail, events)
      assert.isTrue(seen.events.every((event, index) => event === events[index]))
      const named: LlmEvent = {
        _tag: "Opaque",
        protocol: "openai-chat",
        value: { audio: { id: "jo@ab.com", transcript: "hello" } },
        textAt: ["audio", "transcript"]
      }
      const { events: others } = yield* filtered(mail, [named, finish])
      assert.deepNestedPropertyVal(others[0], "value.audio", { id: "[EMAIL]", transcript: "hello" })
    })
  )
})

describe("what stands across blocks", () => {
  const secret = "to jo@ab.com now"
  for (const kind of ["Text", "Reasoning"] as const) {
    it.effect(`is hidden, wherever the blocks end: ${kind}`, () =>
      Effect.gen(function* () {
        for (let first = 1; first < secret.length; first++) {
          for (let second = first; second < secret.length; second++) {
            const blocks = [secret.slice(0, first), secret.slice(first, second), secret.slice(second)]
            for (const pieces of [blocks.map((text) => [text]), blocks.map((text) => text.split(""))]) {
              const { events } = yield* filtered(mail, answerIn(kind, pieces))
              assert.strictEqual(blocksOf(events).join(""), "to [EMAIL] now", blocks.join("|"))
              assert.strictEqual(events.at(-1), finish)
            }
          }
        }
      })
    )
  }

  it.effect("does not keep from being found what stands within one", () =>
    Effect.gen(function* () {
      const said = (filter: typeof mail, ...blocks: ReadonlyArray<string>) =>
        Effect.map(
          filtered(
            filter,
            answerIn(
              "Text",
              blocks.map((text) => [text])
            )
          ),
          ({ events }) => blocksOf(events)
        )
      assert.deepStrictEqual(yield* said(card, "4111111111111111", "2222"), ["[CARD]", "2222"])
      assert.deepStrictEqual(yield* said(card, "12", "4111111111111111"), ["12", "[CARD]"])
      assert.deepStrictEqual(yield* said(word, "at the st", "start"), ["at the st", "*****"])
      assert.deepStrictEqual(yield* said(word, "start", "start"), ["*****", "*****"])
      assert.deepStrictEqual(yield* said(twice, "xab", "ab", "aba"), ["x(aba)", "b", "(aba)"])
    })
  )

  it.effect("is the same however each block is cut", () =>
    Effect.gen(function* () {
      const whole = (yield* filtered(twice, answerIn("Text", [["xaab"], ["abab"]]))).events
      for (const first of everySplit("xaab")) {
        for (const second of everySplit("abab")) {
          const { events } = yield* filtered(twice, answerIn("Text", [first, second]))
          assert.deepStrictEqual(blocksOf(events), blocksOf(whole))
        }
      }
    })
  )

  it.effect.prop(
    "leaves, of any text, nothing that is to be hidden, neither apart nor together",
    [Schema.Array(Schema.Array(Schema.Literals(["a", "b", "ab", "ba", " "])))],
    ([blocks]) =>
      Effect.gen(function* () {
        const hides = usable(replace({ name: "hides", rules: [{ text: "aba", with: "-" }] }))
        const { events } = yield* filtered(hides, answerIn("Text", blocks))
        assert.notInclude(blocksOf(events).join(""), "aba")
        assert.strictEqual(events.at(-1), finish)
      })
  )

  it.effect("stays as it is where nothing is found, and in its order", () =>
    Effect.gen(function* () {
      const events = answerIn("Text", [["write to ", "jane@exa"], ["ctly"], ["", " ", "her"], []])
      const left = (yield* filtered(mail, events)).events
      assert.deepStrictEqual(left, events)
      for (const [index, event] of left.entries()) assert.strictEqual(event, events[index])
    })
  )

  it.effect("is found where blocks end in the order in which they began, after all of them", () =>
    Effect.gen(function* () {
      const events = answerIn("Text", [["jane@example.com"], ["joe@example.com"]])
      const [ends, rest] = [true, false].map((isEnd) => events.filter(({ _tag }) => (_tag === "TextEnd") === isEnd))
      const late = [...rest!.slice(0, -1), ...ends!, finish]
      const left = (yield* filtered(mail, late)).events
      assert.deepStrictEqual(blocksOf(left), ["[EMAIL]", "[EMAIL]"])
      assert.deepStrictEqual(left.slice(-3), [...ends!, finish])
    })
  )

  it.effect("is held back only until something else is said", () =>
    Effect.gen(function* () {
      const [started, begin, ask, whom, end] = answerIn("Text", [["ask ", "jane"]])
      const tool: LlmEvent = { _tag: "ToolInputStart", id: "call", name: "ask" }
      const events = [started!, begin!, ask!, whom!, end!, tool]
      const context = testContext()
      const seen: Array<LlmEvent> = []
      yield* Stream.fromIterable(events).pipe(
        Stream.rechunk(1),
        Stream.concat(Stream.never),
        mail.events!(prompt("model", "hello"), context),
        Stream.takeUntil((event) => event === tool),
        Stream.runForEach((event) => Effect.sync(() => void seen.push(event)))
      )
      assert.deepStrictEqual(seen, events)
    })
  )
})

describe("what might have become something", () => {
  const [started, begin, ...deltas] = answerIn("Text", [["It is ", "jane@", "example.c"]]).slice(0, -2)

  it.effect("does not leave where the answer fails", () =>
    Effect.gen(function* () {
      const seen: Array<LlmEvent> = []
      yield* Stream.fromIterable([started!, begin!, ...deltas]).pipe(
        Stream.concat(Stream.fail(new LlmError({ reason: { _tag: "Transport" }, message: "gone" }))),
        mail.events!(prompt("model", "hello"), testContext()),
        Stream.runForEach((event) => Effect.sync(() => void seen.push(event))),
        Effect.ignore
      )
      assert.deepStrictEqual(blocksOf(seen), ["It is "])
    })
  )
})

describe("a citation of a block that is open", () => {
  it.effect("keeps its place where only an earlier block of that name was changed", () =>
    Effect.gen(function* () {
      const cited: LlmEvent = { _tag: "Source", url: "https://a.b", block: "t", start: 0, end: 4 }
      const said = (text: string): ReadonlyArray<LlmEvent> => [
        { _tag: "TextStart", id: "t" },
        { _tag: "TextDelta", id: "t", text }
      ]
      const end: LlmEvent = { _tag: "TextEnd", id: "t" }
      const { events } = yield* filtered(mail, [...said("jo@ab.com "), end, ...said("Fine "), cited, end, finish])
      assert.include(events, cited)
    })
  )

  it.effect(
    "stays what its format says of it where that is a place in what is cited, whatever became of the text",
    () =>
      Effect.gen(function* () {
        const place = { type: "char_location", document_index: 0, start_char_index: 3, end_char_index: 9 }
        const origin = { protocol: "anthropic-messages", value: place }
        const cited: LlmEvent = { _tag: "Source", block: "t", title: "A document", origin }
        const { events } = yield* filtered(mail, [
          { _tag: "TextStart", id: "t" },
          { _tag: "TextDelta", id: "t", text: "jo@ab.com says so. " },
          cited,
          { _tag: "TextEnd", id: "t" },
          finish
        ])
        assert.include(events, cited)
      })
  )
})
