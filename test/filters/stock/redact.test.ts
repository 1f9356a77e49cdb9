import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import type { LlmRequest } from "../../../src/domain/LlmRequest.ts"
import { isEnding } from "../../../src/filters/Verdict.ts"
import { redact } from "../../../src/filters/stock/redact.ts"
import { answerOf, filtered, onRequest, testContext, usable } from "../applying.ts"
import { someSplits } from "../splits.ts"

const pii = usable(redact({ name: "pii" }))

const redacted = (text: string) => Effect.map(filtered(pii, answerOf("text", [text])), ({ text }) => text)

/** What is hidden, and what looks like it and is not. */
const found: ReadonlyArray<
  readonly [kind: string, label: string, hidden: ReadonlyArray<string>, left: ReadonlyArray<string>]
> = [
  [
    "e-mail",
    "[EMAIL]",
    ["jane@example.com", "j.d+x_y@mail.example.co.uk", "jürgen@müller.example.de", "jürgen@müller.de".normalize("NFD")],
    ["@handle", "a@b", "price @ 5.00", "user@localhost"]
  ],
  [
    "phone",
    "[PHONE]",
    [
      "+1 415 555 2671",
      "+49 (30) 1234-5678",
      "0049 30 12345678",
      "(415) 555-2671",
      "415-555-2671",
      "030 / 12345678",
      "+49\u00a030\u202f1234567"
    ],
    ["2024-05-17", "12:30", "1234567", "3.14159265", "version 10.2.3"]
  ],
  [
    "card",
    "[CARD]",
    [
      "4111111111111111",
      "4111 1111 1111 1111",
      "3782-822463-10005",
      "6011000990139424",
      "4222222222222",
      "4111\u00a01111\u00a01111\u00a01111"
    ],
    ["4111 1111 1111 1112", "0000 0000 0000 0000", "12345678901234567890123"]
  ],
  [
    "IBAN",
    "[IBAN]",
    [
      "DE89370400440532013000",
      "DE89 3704 0044 0532 0130 00",
      "gb29nwbk60161331926819",
      "DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00"
    ],
    ["DE88370400440532013000", "XX89370400440532013000"]
  ],
  [
    "IP",
    "[IP]",
    ["192.168.0.1", "2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a", "::ffff:192.168.0.1"],
    ["256.1.1.1", "10:20:30", "std::dead", "1.2.3"]
  ],
  [
    "national id",
    "[NATIONAL_ID]",
    [
      "078-05-1120",
      "86095742719",
      "12345678Z",
      "X1234567L",
      "RSSMRA85T10A562S",
      "111.444.777-35",
      "44051401359",
      "AB 12 34 56 C",
      "943 476 5919",
      "130 692 544",
      "2341 2341 2346",
      "811218-9876"
    ],
    ["000-12-3456", "86095742718", "12345678A", "RSSMRA85T10A562T", "111.444.777-36", "44051401358"]
  ],
  [
    "API key",
    "[API_KEY]",
    [
      `sk-${"a1B2".repeat(8)}`,
      `AKIA${"ABCD".repeat(4)}`,
      `ghp_${"a1B2".repeat(9)}`,
      `xoxb-123456789012-abcdef`,
      `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U`,
      `-----BEGIN RSA PRIVATE KEY-----\n${"MIIEpAIBAAKCAQEA".repeat(40)}\n-----END RSA PRIVATE KEY-----`
    ],
    ["sk-short", "task-abcdefghijklmnopqrstuvwxyz", "-----BEGIN CERTIFICATE-----"]
  ]
]

describe("what identifies somebody", () => {
  for (const [kind, label, hidden, left] of found) {
    it.effect(`is hidden: ${kind}`, () =>
      Effect.gen(function* () {
        for (const text of hidden) assert.strictEqual(yield* redacted(`see ${text}, ok`), `see ${label}, ok`, text)
        for (const text of left) assert.strictEqual(yield* redacted(`see ${text}, ok`), `see ${text}, ok`)
      })
    )
  }

  it.effect("is hidden behind other numbers that it could be part of", () =>
    Effect.gen(function* () {
      const card = "4111 1111 1111 1111"
      for (const before of ["9 ", "12 ", "order 12-", "on 2024-01-01 ", "1 ", "7 of 12 "]) {
        assert.strictEqual(yield* redacted(`${before}${card} 12/27`), `${before}[CARD] 12/27`)
      }
      assert.strictEqual(yield* redacted("AB12 DE89 3704 0044 0532 0130 00"), "AB12 [IBAN]")
    })
  )

  it.effect("is held back to its end however long, whatever it looks like in the beginning", () =>
    Effect.gen(function* () {
      const token = `eyJhbGciOiJIUzI1NiJ9.eyJ${"Ab9_".repeat(300)}.${"sigSIG12".repeat(5)}`
      for (const pieces of someSplits(`at x.${token} ok`, 4)) {
        const { text } = yield* filtered(pii, answerOf("text", pieces))
        assert.strictEqual(text, "at x.[API_KEY] ok")
      }
    })
  )

  it.effect("never leaves in part, in whatever pieces it comes", () =>
    Effect.gen(function* () {
      for (const [, , hidden] of found) {
        for (const text of hidden) {
          for (const pieces of someSplits(`see ${text}, ok`, 4)) {
            const { events } = yield* filtered(pii, answerOf("text", pieces))
            const said = events.flatMap((event) => (event._tag === "TextDelta" ? [event.text] : [])).join("")
            assert.notInclude(said, text)
            assert.match(said, /^see \[[A-Z_]+\], ok$/)
          }
        }
      }
    })
  )
})

describe("what tells a text again", () => {
  it.effect("is changed with it: the complete tool call, however its arguments are escaped", () =>
    Effect.gen(function* () {
      const written = '{"to":"jane\\u0040example.com","card":4111111111111111}'
      for (const pieces of someSplits(written, 6)) {
        const { events } = yield* filtered(pii, answerOf("tools", pieces))
        const call = events.find((event) => event._tag === "ToolCall")
        assert.deepInclude(call, { arguments: '{"to":"[EMAIL]","card":"[CARD]"}', valid: true })
        const deltas = events.flatMap((event) => (event._tag === "ToolInputDelta" ? [event.text] : []))
        assert.strictEqual(deltas.join(""), '{"to":"[EMAIL]","card":"[CARD]"}')
      }
    })
  )

  it.effect("is changed with it: citations, results of tools that the provider ran, refusals", () =>
    Effect.gen(function* () {
      const id = "block"
      const events: ReadonlyArray<LlmEvent> = [
        { _tag: "Started", id: "answer", model: "model" },
        { _tag: "TextStart", id },
        { _tag: "TextDelta", id, text: "by jane@exam" },
        { _tag: "TextDelta", id, text: "ple.com.", logprobs: [{ token: "ple.com", logprob: -1, top: [] }] },
        { _tag: "Source", block: id, citedText: "jane@example.com", start: 3, end: 12, url: "https://example.com" },
        { _tag: "TextEnd", id },
        { _tag: "ToolResult", callId: "call", protocol: "p", value: { found: [{ mail: "jane@example.com" }] } },
        { _tag: "RefusalDelta", text: "I will not mail jane@exam" },
        { _tag: "RefusalDelta", text: "ple.com" },
        { _tag: "Finish", reason: "stop", usage: { source: "none" } }
      ]
      const left = (yield* filtered(pii, events)).events
      const told = JSON.stringify(left)
      assert.notMatch(told, /jane|exam(?!ple\.com")|ple\.com(?!")/)
      assert.deepInclude(left, { _tag: "Source", block: id, citedText: "[EMAIL]", url: "https://example.com" })
      assert.include(told, "I will not mail ")
      assert.notInclude(told, "logprob")
    })
  )

  it.effect("is changed with it: reasoning loses the signature that it no longer has, and only then", () =>
    Effect.gen(function* () {
      const changed = yield* filtered(pii, answerOf("reasoning", ["mail ja", "ne@example.com"]))
      assert.deepInclude(changed.events, { _tag: "ReasoningEnd", id: "block" })
      const untouched = answerOf("reasoning", ["nothing ", "here"])
      for (const [index, event] of (yield* filtered(pii, untouched)).events.entries()) {
        assert.strictEqual(event, untouched[index])
      }
    })
  )
})

const conversation = (text: string): LlmRequest => ({
  model: "model",
  user: "jane@example.com",
  messages: [
    { role: "system", parts: [{ _tag: "Text", text: "Be kind." }] },
    { role: "user", parts: [{ _tag: "Text", text }] },
    {
      role: "assistant",
      parts: [
        { _tag: "Reasoning", text: "signed jane@example.com", signature: "s" },
        { _tag: "ToolCall", id: "c", name: "mail", arguments: '{"to":"jane@example.com"}' }
      ]
    },
    {
      role: "tool",
      parts: [{ _tag: "ToolResult", callId: "c", content: [{ _tag: "Text", text: "sent to joe@example.com" }] }]
    }
  ],
  sampling: {}
})

describe("a request", () => {
  it.effect("is what everyone said, without what identifies them, and keeps what is signed", () =>
    Effect.gen(function* () {
      const request = yield* onRequest(pii, conversation("I am jane@example.com"))
      assert.isFalse(isEnding(request))
      if (isEnding(request)) return
      const [system, user, assistant, tool] = request.messages
      assert.strictEqual(request.user, "[EMAIL]")
      assert.deepStrictEqual(system, conversation("").messages[0])
      assert.deepInclude(user?.parts[0], { text: "I am [EMAIL]" })
      assert.deepInclude(assistant?.parts[0], { text: "signed jane@example.com", signature: "s" })
      assert.deepInclude(assistant?.parts[1], { arguments: '{"to":"[EMAIL]"}' })
      assert.include(JSON.stringify(tool), "sent to [EMAIL]")
    })
  )

  it.effect("in which nothing is found stays the same object", () =>
    Effect.gen(function* () {
      const request: LlmRequest = {
        model: "model",
        messages: [{ role: "user", parts: [{ _tag: "Text", text: "hello" }] }],
        sampling: {}
      }
      assert.strictEqual(yield* onRequest(pii, request), request)
    })
  )
})

describe("pseudonyms", () => {
  const filter = usable(redact({ name: "pii", packs: ["email", "card"], action: "pseudonym" }))

  it.effect("are the same for the same, and the answer says in clear what they stand for", () =>
    Effect.gen(function* () {
      const context = testContext()
      const request = yield* onRequest(filter, conversation("I am jane@example.com, not [EMAIL_2]"), context)
      const told = JSON.stringify(request)
      assert.include(told, "I am [EMAIL_1], not [EMAIL_2]")
      assert.include(told, '{\\"to\\":\\"[EMAIL_1]\\"}')
      // A name that was there before is nobody's.
      assert.include(told, "sent to [EMAIL_3]")
      const said = "Dear [EMAIL_1], [EMAIL_3] and [EMAIL_2] and [EMAIL_4]"
      for (const pieces of someSplits(said)) {
        const { text } = yield* filtered(filter, answerOf("text", pieces), context)
        assert.strictEqual(text, "Dear jane@example.com, joe@example.com and [EMAIL_2] and [EMAIL_4]")
      }
      const { text } = yield* filtered(filter, answerOf("tools", ['{"to":"[EMAIL', '_1]"}']), context)
      assert.strictEqual(text, '{"to":"jane@example.com"}')
    })
  )
})

it.effect("a mask keeps the shape, and of cards the last four", () =>
  Effect.gen(function* () {
    const mask = usable(redact({ name: "pii", packs: ["card", "email"], action: "mask" }))
    const { text } = yield* filtered(mask, answerOf("text", ["4111-1111-1111-1111, j@e.org"]))
    assert.strictEqual(text, "****-****-****-1111, *@*.***")
  })
)

it.effect("what was found is told once for each side", () =>
  Effect.gen(function* () {
    const context = testContext()
    yield* onRequest(pii, conversation("jane@example.com"), context)
    yield* filtered(pii, answerOf("text", ["a@b.com c@d.com"]), context)
    assert.deepStrictEqual(
      context.findings.map(({ phase, category, action }) => [phase, category, action]),
      [
        ["request", "email", "changed"],
        ["answer", "email", "changed"]
      ]
    )
  })
)
