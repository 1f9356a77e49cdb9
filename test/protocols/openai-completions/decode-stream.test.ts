import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { openAiCompletions } from "../../../src/protocols/openai-completions/outbound.ts"
import { sseFrame } from "../../../src/wire/Sse.ts"
import { decodeStream, decodeWhole, type Decoded } from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"

type Fields = Record<string, unknown>

const chunk = (choices: ReadonlyArray<Fields>, more: Fields = {}): Fields => ({
  id: "cmpl-1",
  object: "text_completion",
  created: 1_700_000_000,
  model: "davinci",
  choices,
  ...more
})
const piece = (text: string, more: Fields = {}): Fields => ({
  text,
  index: 0,
  logprobs: null,
  finish_reason: null,
  ...more
})
const stop = piece("", { finish_reason: "stop" })
const done = sseFrame("[DONE]")

const decodeText = (text: string): Decoded => decodeStream(openAiCompletions, [Buffer.from(text)])
const frames = (...chunks: ReadonlyArray<Fields>): string =>
  chunks.map((document) => sseFrame(JSON.stringify(document))).join("")
const eventsOf = (text: string): ReadonlyArray<LlmEvent> => {
  const { events, error } = decodeText(text)
  expect(error).toBeUndefined()
  expect(grammarFaults(events)).toEqual([])
  return events
}
const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 }

describe("a stream", () => {
  it("is a text", () => {
    expect(eventsOf(frames(chunk([piece("A")]), chunk([piece("B")]), chunk([stop])) + done)).toEqual([
      { _tag: "Started", id: "cmpl-1", model: "davinci", created: 1_700_000_000 },
      { _tag: "TextStart", id: "text-0" },
      { _tag: "TextDelta", id: "text-0", text: "A" },
      { _tag: "TextDelta", id: "text-0", text: "B" },
      { _tag: "TextEnd", id: "text-0" },
      { _tag: "Finish", reason: "stop", rawReason: "stop", usage: { source: "none" } }
    ])
  })

  it("is several texts side by side", () => {
    const { choices } = foldEvents(
      eventsOf(
        frames(
          chunk([piece("A", { index: 1 })]),
          chunk([piece("B"), piece("C", { index: 1 })]),
          chunk([stop, piece("", { index: 1, finish_reason: "length" })])
        ) + done
      )
    )
    expect(choices).toMatchObject([
      { index: 0, parts: [{ text: "B" }], finish: { reason: "stop" } },
      { index: 1, parts: [{ text: "AC" }], finish: { reason: "length" } }
    ])
  })

  it("states its usage before, with or after its reason, the last statement winning", () => {
    const late = frames(chunk([piece("A")], { usage: null }), chunk([stop]), chunk([], { usage }))
    const early = frames(
      chunk([piece("A")], { usage: { prompt_tokens: 3, completion_tokens: 1 } }),
      chunk([stop], { usage })
    )
    for (const text of [late, late + done, early + done]) {
      expect(foldEvents(eventsOf(text)).usage).toEqual({ inputTokens: 3, outputTokens: 5, source: "provider" })
    }
  })

  it("tells of cached and thought tokens where a newer server does", () => {
    const more = {
      prompt_tokens_details: { cached_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 1 },
      ...usage
    }
    expect(foldEvents(eventsOf(frames(chunk([stop], { usage: more })))).usage).toEqual({
      inputTokens: 3,
      outputTokens: 5,
      cachedTokens: 2,
      reasoningTokens: 1,
      source: "provider"
    })
  })

  it("may begin with what a filter thought of the prompt", () => {
    const filtered = { id: "", model: "", prompt_filter_results: [], choices: [] }
    const events = eventsOf(frames(filtered, chunk([piece("A")]), chunk([stop])) + done)
    expect(events[0]).toMatchObject({ _tag: "Started", id: "cmpl-1" })
  })

  it("may repeat its reason, and says nothing after it", () => {
    const events = eventsOf(frames(chunk([piece("A")]), chunk([stop]), chunk([piece("B")]), chunk([stop], { usage })))
    expect(foldEvents(events).choices[0]?.parts).toMatchObject([{ text: "A" }])
    expect(events.filter(({ _tag }) => _tag === "Finish")).toHaveLength(1)
  })
})

describe("the end", () => {
  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["content_filter", "content-filter"],
    ["abort", "unknown"]
  ])("with %s is %s", (finish_reason, reason) =>
    expect(eventsOf(frames(chunk([piece("", { finish_reason })]))).at(-1)).toMatchObject({
      reason,
      rawReason: finish_reason
    })
  )

  it("may name the stop sequence", () => {
    const stopped = (stop_reason: unknown) => eventsOf(frames(chunk([{ ...stop, stop_reason }]))).at(-1)
    expect(stopped("END")).toMatchObject({ reason: "stop", stopSequence: "END" })
    expect(stopped(128009)).not.toHaveProperty("stopSequence")
  })

  it("is the terminator where no reason was given, and all texts end with it", () => {
    const events = eventsOf(frames(chunk([piece("A"), piece("B", { index: 1 })])) + done)
    expect(events.slice(-4)).toEqual([
      { _tag: "TextEnd", id: "text-0" },
      { _tag: "TextEnd", id: "text-1", choice: 1 },
      { _tag: "ChoiceFinish", choice: 1, reason: "unknown" },
      { _tag: "Finish", reason: "unknown", usage: { source: "none" } }
    ])
  })

  it("may never come", () => {
    const incomplete = (kind: string) => ({ _tag: "IncompleteStream", kind })
    expect(decodeText("").error?.reason).toEqual(incomplete("empty"))
    expect(decodeText(done).error?.reason).toEqual(incomplete("empty"))
    expect(decodeText(frames(chunk([piece("A")]))).error?.reason).toEqual(incomplete("noStop"))
  })
})

describe("log probabilities", () => {
  it("are lists side by side, the first of an echoed prompt without one", () => {
    const logprobs = {
      tokens: ["Once", " upon", " a"],
      token_logprobs: [null, -0.5, -1],
      top_logprobs: [null, { " upon": -0.5, " more": -2 }, {}],
      text_offset: [0, 4, 9]
    }
    const events = eventsOf(frames(chunk([piece("Once upon a", { logprobs })]), chunk([stop])))
    expect(events[2]).toEqual({
      _tag: "TextDelta",
      id: "text-0",
      text: "Once upon a",
      logprobs: [
        {
          token: " upon",
          logprob: -0.5,
          top: [
            { token: " upon", logprob: -0.5 },
            { token: " more", logprob: -2 }
          ]
        },
        { token: " a", logprob: -1, top: [] }
      ]
    })
  })
})

describe("a failure", () => {
  it("stands in a frame of its own", () => {
    const frame = frames({ error: { message: "The server is overloaded", type: "server_error", code: null } })
    const { error, events } = decodeText(frames(chunk([piece("A")])) + frame + done)
    expect(error).toMatchObject({
      reason: { _tag: "Overloaded" },
      fault: { type: "server_error", protocol: "openai-completions", raw: frame }
    })
    expect(events.at(-1)).toMatchObject({ _tag: "TextDelta" })
  })

  it.each(["{", "[]", "{}", '{"choices":[1]}', '{"choices":[{"text":1}]}', '{"choices":[{"index":-1}]}'])(
    "is a frame that reads %s",
    (data) =>
      expect(decodeText(sseFrame(data)).error?.reason).toEqual({ _tag: "InvalidOutput", kind: "malformedFrame" })
  )
})

describe("a whole answer", () => {
  const whole = (document: unknown) => decodeWhole(openAiCompletions, Buffer.from(JSON.stringify(document)))

  it("says the same as a stream of it", () => {
    const { events, error } = whole(
      chunk([piece("A", { finish_reason: "stop" }), piece("B", { index: 1, finish_reason: "length" })], { usage })
    )
    expect(error).toBeUndefined()
    expect(grammarFaults(events)).toEqual([])
    expect(foldEvents(events)).toMatchObject({
      choices: [{ finish: { reason: "stop" } }, { finish: { reason: "length" } }],
      usage: { inputTokens: 3, outputTokens: 5 }
    })
  })

  it("may be an error, or nothing that can be read", () => {
    const error = { message: "no such model", code: "model_not_found" }
    expect(whole({ error }).error).toMatchObject({
      reason: { _tag: "UnknownModel" },
      fault: { raw: JSON.stringify({ error }) }
    })
    expect(whole({ choices: [] }).error?.reason._tag).toBe("InvalidOutput")
    expect(whole("hello").error?.reason._tag).toBe("InvalidOutput")
  })
})
