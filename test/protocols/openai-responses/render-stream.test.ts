import { describe, expect, it } from "@effect/vitest"
import type { Notice } from "../../../src/domain/Call.ts"
import type { Frame } from "../../../src/domain/Frame.ts"
import { failure } from "../../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import { openAiResponsesDialect } from "../../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import { isSealed, unsealed } from "../../../src/protocols/SealedReasoning.ts"
import { normalisedEvents, wellFormedEvents } from "../arbitrary.ts"
import { decodeStream } from "../corpus.ts"
import { contextOf } from "./context.ts"
import { documentsOf, streamFaults, type StreamDocument } from "./stream-grammar.ts"

const own = "openai-responses"
const rendererOf = () => openAiResponsesDialect.renderer(contextOf())

const render = (events: ReadonlyArray<LlmEvent>) => {
  const renderer = rendererOf()
  const text = events.map((event) => renderer.event(event)).join("") + renderer.end()
  expect(streamFaults(text)).toEqual([])
  return { text, documents: documentsOf(text), notices: renderer.notices }
}

const started: LlmEvent = { _tag: "Started", id: "resp_1", model: "a-model", created: 1_700_000_000 }
const finish = (more: Partial<Extract<LlmEvent, { readonly _tag: "Finish" }>> = {}): LlmEvent => ({
  _tag: "Finish",
  reason: "stop",
  usage: { source: "none" },
  ...more
})
const text = (id: string, ...deltas: ReadonlyArray<string>): ReadonlyArray<LlmEvent> => [
  { _tag: "TextStart", id },
  ...deltas.map((delta) => ({ _tag: "TextDelta", id, text: delta }) as const),
  { _tag: "TextEnd", id }
]
const call = (id: string, name: string, input: string): ReadonlyArray<LlmEvent> => [
  { _tag: "ToolInputStart", id, name },
  ...(input === "" ? [] : [{ _tag: "ToolInputDelta", id, text: input } as const]),
  { _tag: "ToolInputEnd", id },
  { _tag: "ToolCall", id, name, arguments: input || "{}", valid: true }
]
const answer = (...events: ReadonlyArray<LlmEvent>) => render([started, ...events, finish()])
const typesOf = (documents: ReadonlyArray<StreamDocument>) => documents.map(({ type }) => type.replace("response.", ""))
const outputOf = (documents: ReadonlyArray<StreamDocument>) => documents.at(-1)?.response?.output

describe("a rendered stream", () => {
  it("tells every item from its announcement to its end, and the whole answer last", () => {
    const { documents } = answer(...text("t", "Hel", "lo"))
    expect(typesOf(documents)).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "content_part.added",
      "output_text.delta",
      "output_text.delta",
      "output_text.done",
      "content_part.done",
      "output_item.done",
      "completed"
    ])
    const message = { type: "message", role: "assistant", status: "completed" }
    expect(outputOf(documents)).toMatchObject([
      { ...message, content: [{ type: "output_text", text: "Hello", annotations: [], logprobs: [] }] }
    ])
    expect(documents.at(-1)?.response).toMatchObject({ id: "resp_1", model: "a-model", created_at: 1_700_000_000 })
  })

  it("puts texts that follow each other in one message, and ends it before another item begins", () => {
    const { documents } = answer(
      ...text("a", "one"),
      ...text("b", "two"),
      ...call("c1", "f", "{}"),
      ...text("d", "three")
    )
    expect(outputOf(documents)?.map(({ type }) => type)).toEqual(["message", "function_call", "message"])
    expect(outputOf(documents)?.[0]).toMatchObject({ content: [{ text: "one" }, { text: "two" }] })
  })

  it("lets parallel calls be open at once, each at its place", () => {
    const { documents } = answer(
      { _tag: "ToolInputStart", id: "a", name: "f" },
      { _tag: "ToolInputStart", id: "b", name: "g" },
      { _tag: "ToolInputDelta", id: "b", text: "{}" },
      { _tag: "ToolInputDelta", id: "a", text: '{"x":1}' },
      { _tag: "ToolInputEnd", id: "a" },
      { _tag: "ToolInputEnd", id: "b" },
      { _tag: "ToolCall", id: "b", name: "g", arguments: "{}", valid: true },
      { _tag: "ToolCall", id: "a", name: "f", arguments: '{"x":1}', valid: true }
    )
    expect(outputOf(documents)).toMatchObject([
      { call_id: "a", arguments: '{"x":1}' },
      { call_id: "b", arguments: "{}" }
    ])
  })

  it("writes the empty arguments of a call as an object, in a delta too", () => {
    const { documents } = answer(...call("c1", "now", ""))
    expect(documents.find(({ type }) => type === "response.function_call_arguments.delta")).toMatchObject({
      delta: "{}"
    })
    expect(outputOf(documents)).toMatchObject([{ type: "function_call", arguments: "{}", call_id: "c1" }])
  })

  it("says of a call that a limit cut that it is not complete, also in a whole answer", () => {
    const args = '{"city":"Par'
    const events: ReadonlyArray<LlmEvent> = [
      started,
      { _tag: "ToolInputStart", id: "c", name: "lookup" },
      { _tag: "ToolInputDelta", id: "c", text: args },
      { _tag: "ToolInputEnd", id: "c" },
      { _tag: "ToolCall", id: "c", name: "lookup", arguments: args, valid: false },
      finish({ reason: "length" })
    ]
    const cut = [{ type: "function_call", call_id: "c", arguments: args, status: "incomplete" }]
    const { documents } = render(events)
    expect(documents.find(({ type }) => type === "response.output_item.done")).toMatchObject({ item: cut[0]! })
    expect(outputOf(documents)).toMatchObject(cut)
    const whole = openAiResponsesDialect.renderWhole(foldEvents(events), contextOf(), [])
    expect(whole).toMatchObject({ status: "incomplete", output: cut })
  })

  it("is incomplete where a limit or a filter cut it", () => {
    const cut = render([
      started,
      { _tag: "TextStart", id: "t" },
      { _tag: "TextDelta", id: "t", text: "Hal" },
      finish({ reason: "length" })
    ])
    expect(cut.documents.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: {
        status: "incomplete",
        incomplete_details: { reason: "max_output_tokens" },
        output: [{ status: "incomplete" }]
      }
    })
    const filtered = render([started, finish({ reason: "content-filter" })])
    expect(filtered.documents.at(-1)?.response).toMatchObject({ incomplete_details: { reason: "content_filter" } })
  })

  it("counts inclusive usage, and says nothing where nothing is known", () => {
    const usage = { inputTokens: 12, cachedTokens: 5, outputTokens: 9, reasoningTokens: 4, source: "provider" } as const
    expect(render([started, finish({ usage })]).documents.at(-1)?.response).toMatchObject({
      usage: {
        input_tokens: 12,
        input_tokens_details: { cached_tokens: 5 },
        output_tokens: 9,
        output_tokens_details: { reasoning_tokens: 4 },
        total_tokens: 21
      }
    })
    expect(render([started, finish()]).documents.at(-1)?.response).toMatchObject({ usage: null })
  })

  it("repeats what the request said", () => {
    const body = {
      model: "smart",
      instructions: "Be brief.",
      tools: [{ type: "function", name: "f" }],
      temperature: 0.5
    }
    const renderer = openAiResponsesDialect.renderer(
      contextOf({ origin: { protocol: own, body, text: "", headers: {} } })
    )
    const [created] = documentsOf(renderer.event(started))
    expect(created?.response).toMatchObject({
      instructions: "Be brief.",
      tools: body.tools,
      temperature: 0.5,
      top_p: 1,
      store: false,
      status: "in_progress"
    })
  })

  it("cites within the text, also when the text has ended", () => {
    const source: LlmEvent = {
      _tag: "Source",
      block: "t",
      url: "https://example.com",
      title: "Example",
      start: 0,
      end: 5
    }
    const { documents } = answer(...text("t", "Hello"), source)
    const annotation = {
      type: "url_citation",
      url: "https://example.com",
      title: "Example",
      start_index: 0,
      end_index: 5
    }
    expect(documents.find(({ type }) => type.includes("annotation"))).toMatchObject({ annotation, annotation_index: 0 })
    expect(outputOf(documents)).toMatchObject([{ content: [{ text: "Hello", annotations: [annotation] }] }])
  })

  it("is not complete where the model declined and no refusal says so", () => {
    const endingOf = (...events: ReadonlyArray<LlmEvent>) =>
      render([started, ...events, finish({ reason: "refusal" })]).documents.at(-1)?.response
    const filtered = { status: "incomplete", incomplete_details: { reason: "content_filter" } }
    expect(endingOf(...text("t", "No."))).toMatchObject(filtered)
    expect(endingOf({ _tag: "RefusalDelta", text: "No." })).toMatchObject({ status: "completed" })
  })

  it("keeps refusals apart from the text", () => {
    const { documents } = answer(
      ...text("t", "Well. "),
      { _tag: "RefusalDelta", text: "I " },
      { _tag: "RefusalDelta", text: "won't." }
    )
    expect(outputOf(documents)).toMatchObject([
      { content: [{ text: "Well. " }, { type: "refusal", refusal: "I won't." }] }
    ])
  })

  it("gives log probabilities with their tokens", () => {
    const logprobs = [{ token: "é", logprob: -0.5, top: [{ token: "e", logprob: -1 }] }]
    const { documents } = answer(
      { _tag: "TextStart", id: "t" },
      { _tag: "TextDelta", id: "t", text: "é", logprobs },
      { _tag: "TextEnd", id: "t" }
    )
    const rendered = [
      { token: "é", logprob: -0.5, bytes: [195, 169], top_logprobs: [{ token: "e", logprob: -1, bytes: [101] }] }
    ]
    expect(documents.find(({ delta }) => delta === "é")).toMatchObject({ logprobs: rendered })
    expect(outputOf(documents)).toMatchObject([{ content: [{ logprobs: rendered }] }])
  })

  it("shows an image as the item of the tool that makes images, and says what it cannot show", () => {
    const image: LlmEvent = { _tag: "Media", mediaType: "image/png", data: "AAAA" }
    const { documents, notices } = answer(
      image,
      { _tag: "Media", mediaType: "audio/wav", data: "AAAA" },
      {
        _tag: "Opaque",
        protocol: "anthropic-messages",
        value: {}
      }
    )
    expect(outputOf(documents)).toMatchObject([{ type: "image_generation_call", result: "AAAA", output_format: "png" }])
    expect(notices.map(({ message }) => message.split(":")[0])).toEqual([
      "audio/wav made by the model",
      "a block of anthropic-messages"
    ])
  })

  it("never asks the caller to run what another provider ran", () => {
    const search = { _tag: "ToolInputStart", id: "s1", name: "web_search", providerExecuted: true } as const
    const { documents, notices } = answer(
      search,
      { _tag: "ToolInputDelta", id: "s1", text: '{"query":"rust"}' },
      { _tag: "ToolInputEnd", id: "s1" },
      {
        _tag: "ToolCall",
        id: "s1",
        name: "web_search",
        arguments: '{"query":"rust"}',
        valid: true,
        providerExecuted: true
      },
      { ...search, id: "s2", name: "bash_code_execution" },
      { _tag: "ToolInputEnd", id: "s2" },
      { _tag: "ToolCall", id: "s2", name: "bash_code_execution", arguments: "{}", valid: true, providerExecuted: true }
    )
    expect(outputOf(documents)).toMatchObject([{ type: "web_search_call", action: { type: "search", query: "rust" } }])
    expect(notices).toMatchObject([{ code: "dropped", message: expect.stringContaining("bash_code_execution") }])
  })
})

describe("reasoning", () => {
  const thought = (more: object): ReadonlyArray<LlmEvent> => [
    { _tag: "ReasoningStart", id: "r" },
    { _tag: "ReasoningDelta", id: "r", text: "Hm." },
    { _tag: "ReasoningEnd", id: "r", ...more }
  ]
  const blobOf = (documents: ReadonlyArray<StreamDocument>) => String(outputOf(documents)?.[0]?.["encrypted_content"])

  it("passes a blob of this format as it is", () => {
    expect(blobOf(answer(...thought({ signature: "gAAAAB==", origin: own })).documents)).toBe("gAAAAB==")
  })

  it("seals the proof of another format, so that the next turn has it byte for byte", () => {
    const signature = 'EqQ\u0000B"\\+/é漢👋🏽=='
    const { documents } = answer(...thought({ signature, origin: "anthropic-messages" }))
    expect(outputOf(documents)?.[0]).toMatchObject({ summary: [{ type: "summary_text", text: "Hm." }] })
    expect(blobOf(documents)).not.toContain(signature)
    const next = openAiResponsesDialect.decode({
      model: "smart",
      input: [...(outputOf(documents) as []), { role: "user", content: "go on" }]
    })
    expect(next).toMatchObject({
      success: {
        request: {
          messages: [
            { role: "assistant", parts: [{ _tag: "Reasoning", text: "Hm.", signature, origin: "anthropic-messages" }] },
            { role: "user" }
          ]
        }
      }
    })
  })

  it("seals what was redacted likewise", () => {
    const { documents } = answer(
      { _tag: "ReasoningStart", id: "r", redacted: "opaque+bytes", origin: "anthropic-messages" },
      { _tag: "ReasoningEnd", id: "r" }
    )
    expect(unsealed(blobOf(documents))).toEqual({ redacted: "opaque+bytes", origin: "anthropic-messages" })
  })

  it("has no proof where nobody signed it", () => {
    expect(outputOf(answer(...thought({})).documents)?.[0]).not.toHaveProperty("encrypted_content")
  })
})

describe("a failure", () => {
  it("is an error event, last", () => {
    const renderer = rendererOf()
    const before = renderer.event(started) + renderer.event({ _tag: "TextStart", id: "t" })
    const sent = renderer.failure(failure({ _tag: "Overloaded" }, "the provider is overloaded"))
    expect(sent.startsWith("event: error\n")).toBe(true)
    expect(documentsOf(sent)).toEqual([
      {
        type: "error",
        code: "server_is_overloaded",
        message: "the provider is overloaded",
        param: null,
        sequence_number: documentsOf(before).length
      }
    ])
    expect(renderer.end() + renderer.event(finish())).toBe("")
  })

  it("of the same format goes out as it came, and a failed response is followed by the event that SDKs throw at", () => {
    const raw =
      'event: error\ndata: {"type":"error","code":"server_error","message":"x","param":null,"sequence_number":3}\n\n'
    const fault = { protocol: own, raw }
    expect(rendererOf().failure(failure({ _tag: "UpstreamServer" }, "x", { fault }))).toBe(raw)
    const failed =
      'event: response.failed\ndata: {"type":"response.failed","sequence_number":0,"response":{"status":"failed"}}\n\n'
    const sent = rendererOf().failure(
      failure({ _tag: "UpstreamServer" }, "x", { fault: { protocol: own, raw: failed } })
    )
    expect(sent.startsWith(failed)).toBe(true)
    expect(documentsOf(sent).map(({ type, sequence_number }) => [type, sequence_number])).toEqual([
      ["response.failed", 0],
      ["error", 1]
    ])
  })
})

describe("frames of the same format", () => {
  const events = [started, ...text("msg_1", "My ", "secret ", "plan"), ...call("c1", "f", '{"a":1}'), finish()]
  const framesOf = (stream: string): ReadonlyArray<Frame> => decodeStream(openAiResponses, [Buffer.from(stream)]).frames
  const { text: stream } = render(events)
  const frames = framesOf(stream)
  const send = (sent: ReadonlyArray<Frame>) => {
    const renderer = rendererOf()
    return sent.map((frame) => renderer.verbatim(frame)).join("") + renderer.end()
  }
  const changing = (from: string, to: string): ReadonlyArray<Frame> =>
    frames.map((frame) =>
      frame.events.some((event) => event._tag === "TextDelta" && event.text === from)
        ? {
            ...frame,
            raw: undefined,
            events: frame.events.map((event) => (event._tag === "TextDelta" ? { ...event, text: to } : event))
          }
        : frame
    )
  const unnumbered = (from: ReadonlyArray<Frame>): ReadonlyArray<Frame> =>
    from.map((frame) => ({ ...frame, raw: frame.raw?.replace(/,"sequence_number":\d+/, "") }))

  it("go out as they came", () => expect(send(frames)).toBe(stream))

  it.each([
    ["numbered", (from: ReadonlyArray<Frame>) => from],
    ["not numbered", unnumbered]
  ] as const)("never say again what a stage changed or left out (%s)", (_name, shape) => {
    for (const sent of [
      changing("secret ", "****** "),
      frames.filter(({ events: [event] }) => event?._tag !== "TextDelta" || event.text !== "secret ")
    ]) {
      const out = send(shape(sent))
      expect(out).not.toContain("secret")
      const again = decodeStream(openAiResponses, [Buffer.from(out)])
      expect(again.error).toBeUndefined()
      expect(foldEvents(again.events).choices[0]?.parts.at(-1)).toMatchObject({ name: "f", arguments: '{"a":1}' })
    }
  })

  it("stay one stream with what was rendered between them", () => {
    const out = send(changing("secret ", "****** "))
    expect(streamFaults(out)).toEqual([])
    expect(outputOf(documentsOf(out))).toMatchObject([{ id: "msg_1", content: [{ text: "My ****** plan" }] }, {}])
  })

  it("keep what a message says of itself, also when a stage changes its text", () => {
    const says = (id: string, phase: string, text: string) => {
      const message = { id, type: "message", role: "assistant", status: "completed", phase }
      const content = [{ type: "output_text", text, annotations: [] }]
      return { announced: { ...message, status: "in_progress", content: [] }, ended: { ...message, content }, text }
    }
    const messages = [says("msg_1", "commentary", "I look."), says("msg_2", "final_answer", "Here.")]
    const output = messages.map(({ ended }) => ended)
    const documents = [
      { type: "response.created", response: { id: "resp_1", model: "m", output: [] } },
      ...messages.flatMap(({ announced, ended, text }, output_index) => [
        { type: "response.output_item.added", output_index, item: announced },
        { type: "response.output_text.delta", output_index, content_index: 0, delta: text },
        { type: "response.output_item.done", output_index, item: ended }
      ]),
      { type: "response.completed", response: { id: "resp_1", status: "completed", output } }
    ]
    const stream = documents.map((each) => `data: ${JSON.stringify(each)}\n\n`).join("")
    const { frames, events } = decodeStream(openAiResponses, [Buffer.from(stream)])
    const changed = (event: LlmEvent): LlmEvent =>
      event._tag === "TextDelta" ? { ...event, text: event.text.toUpperCase() } : event
    const said = messages.map(({ ended, text }) => ({
      id: ended.id,
      phase: ended.phase,
      content: [{ text: text.toUpperCase() }]
    }))
    const renderer = rendererOf()
    const sent = frames.map((frame) =>
      frame.events.some(({ _tag }) => _tag === "TextDelta")
        ? frame.events.map((event) => renderer.event(changed(event))).join("")
        : renderer.verbatim(frame)
    )
    expect(outputOf(documentsOf(sent.join("")))).toMatchObject(said)
    expect(outputOf(render(events.map(changed)).documents)).toMatchObject(said)
    const whole = openAiResponsesDialect.renderWhole(foldEvents(events.map(changed)), contextOf(), [])
    expect(whole).toMatchObject({ output: said })
  })

  it("end as a stage says that they end", () => {
    const renderer = rendererOf()
    const sent = frames
      .slice(0, 6)
      .map((frame) => renderer.verbatim(frame))
      .join("")
    const out = sent + renderer.event(finish({ reason: "content-filter" })) + renderer.end()
    expect(streamFaults(out)).toEqual([])
    expect(documentsOf(out).at(-1)?.type).toBe("response.incomplete")
  })

  it("do not tell of an item that a stage left out", () => {
    const thinking = render([
      started,
      { _tag: "ReasoningStart", id: "rs_1" },
      { _tag: "ReasoningDelta", id: "rs_1", text: "hidden" },
      { _tag: "ReasoningEnd", id: "rs_1" },
      ...text("msg_1", "shown"),
      finish()
    ])
    for (const shape of [(from: ReadonlyArray<Frame>) => from, unnumbered]) {
      const sent = framesOf(thinking.text).filter(
        (frame) => !frame.events.some(({ _tag }) => _tag.startsWith("Reasoning"))
      )
      const out = send(shape(sent))
      expect(out).not.toContain("hidden")
      expect(outputOf(documentsOf(out))).toMatchObject([{ type: "message", content: [{ text: "shown" }] }])
    }
  })
})

describe("what is rendered and decoded again", () => {
  /** Events without what this format says of them beyond the canonical vocabulary. */
  const plain = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> =>
    normalisedEvents(events).map((event) => {
      // A usage is said with all its details.
      if ("usage" in event && event.usage.source === "provider") {
        return { ...event, usage: { cacheWriteTokens: 0, ...event.usage } }
      }
      if (event._tag !== "ToolInputStart" && event._tag !== "ReasoningEnd") return event
      const { origin: _, ...bare } = event
      return bare
    })

  const kinds = ["text", "refusal", "reasoning", "tool"] as const

  it.prop("is the same", [wellFormedEvents({ kinds })], ([events]) => {
    const { text: rendered, notices } = render(events)
    const decoded = decodeStream(openAiResponses, [Buffer.from(rendered)])
    expect(decoded.error).toBeUndefined()
    expect(plain(decoded.events)).toEqual(plain(events))
    expect(notices).toEqual([])
  })

  it.prop("is the same frame by frame", [wellFormedEvents({ kinds: [...kinds, "signed", "source"] })], ([events]) => {
    const { text: rendered } = render(events)
    const { frames } = decodeStream(openAiResponses, [Buffer.from(rendered)])
    const renderer = rendererOf()
    expect(frames.map((frame) => renderer.verbatim(frame)).join("") + renderer.end()).toBe(rendered)
  })

  const gist = (of: ReadonlyArray<LlmEvent>) => {
    const parts = foldEvents(of).choices[0]?.parts ?? []
    const proofs = (signature: string | undefined) =>
      signature !== undefined && isSealed(signature) ? unsealed(signature) : { signature }
    return {
      text: parts.map((part) => (part._tag === "Text" ? part.text : "")).join(""),
      refusal: parts.map((part) => (part._tag === "Refusal" ? part.text : "")).join(""),
      reasoning: parts.flatMap((part) =>
        part._tag === "Reasoning" ? [{ text: part.text, redacted: part.redacted, ...proofs(part.signature) }] : []
      ),
      tools: parts.flatMap((part) => (part._tag === "ToolCall" ? [[part.id, part.name, part.arguments]] : [])),
      sources: of.flatMap((event) => (event._tag === "Source" ? [event.url] : []))
    }
  }
  const foreign = [...kinds, "signed", "redacted", "source"] as const

  it.prop("holds all that another format said", [wellFormedEvents({ kinds: foreign, choices: true })], ([events]) => {
    const mine = events.filter((event) => !("choice" in event) || event.choice === undefined)
    const decoded = decodeStream(openAiResponses, [Buffer.from(render(events).text)])
    expect(gist(decoded.events)).toEqual(gist(mine))
  })

  it.prop("is the same as a whole answer", [wellFormedEvents({ kinds: foreign })], ([events]) => {
    const body = openAiResponsesDialect.renderWhole(foldEvents(events), contextOf(), [])
    const again: Array<LlmEvent> = []
    expect(openAiResponses.decodeWhole(body, again)).toBeUndefined()
    const sorted = ({ sources, ...rest }: ReturnType<typeof gist>) => ({ ...rest, sources: sources.toSorted() })
    expect(sorted(gist(again))).toEqual(sorted(gist(events)))
    expect(foldEvents(plain(again)).usage).toEqual(foldEvents(plain(events)).usage)
  })

  it("says of the answer as a whole what its provider said, where something else was changed", () => {
    const moderation = { input: { flagged: false }, output: { flagged: true } }
    const said = { completed_at: 7, moderation, store: true, tool_usage: { web_search: { num_requests: 1 } } }
    const message = { id: "msg_1", type: "message", role: "assistant", content: [{ type: "output_text", text: "a" }] }
    const response = { id: "resp_1", model: "m", status: "completed", output: [message], ...said, prompt: "none of it" }
    const events: Array<LlmEvent> = []
    expect(openAiResponses.decodeWhole(response, events)).toBeUndefined()
    const streamed = render(events).documents.at(-1)?.response
    const whole = openAiResponsesDialect.renderWhole(foldEvents(events), contextOf(), [])
    for (const rendered of [streamed, whole]) {
      expect(rendered).toMatchObject({ ...said, access_programs: null })
      expect(rendered).not.toHaveProperty("prompt")
    }
  })

  it("says service tiers in its words, which strict clients insist on", () => {
    for (const [tier, said] of [
      ["standard", "default"],
      ["flex", "flex"],
      ["reserved", null]
    ] as const) {
      const events = [{ ...started, serviceTier: tier }, ...text("t", "a"), finish()]
      const lost = said === null ? 1 : 0
      const streamed = render(events)
      expect(streamed.documents.at(-1)?.response).toMatchObject({ service_tier: said })
      expect(streamed.notices).toHaveLength(lost)
      const notices: Array<Notice> = []
      const whole = openAiResponsesDialect.renderWhole(foldEvents(events), contextOf(), notices)
      expect(whole).toMatchObject({ service_tier: said })
      expect(notices).toHaveLength(lost)
    }
  })

  it("says its usage with all details, as the types of the SDKs have them", () => {
    const usage = { inputTokens: 3, outputTokens: 2, source: "provider" } as const
    const body = openAiResponsesDialect.renderWhole(foldEvents([started, finish({ usage })]), contextOf(), [])
    expect(body).toMatchObject({
      access_programs: null,
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 2,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 5
      }
    })
  })
})
