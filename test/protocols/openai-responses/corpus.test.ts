import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import type { Finish } from "../../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../../src/domain/LlmResponse.ts"
import type { Usage } from "../../../src/domain/Usage.ts"
import { openAiResponsesDialect } from "../../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../../src/protocols/openai-responses/outbound.ts"
import { readStreamEvent, StreamEvent } from "../../../src/protocols/openai-responses/stream-events.ts"
import {
  corpusCases,
  corpusPresent,
  cutAt,
  decodedGist,
  decodedUsage,
  decodeStream,
  decodeWhole,
  expectedGist,
  randomOffsets,
  type CorpusCase,
  type Decoded,
  type Expected
} from "../corpus.ts"
import { grammarFaults } from "../grammar.ts"
import { contextOf } from "./context.ts"
import { framesOf, streamFaults } from "./stream-grammar.ts"

const cases = corpusCases("openai-responses")
const streams = cases.filter(({ stream, status }) => stream && status === 200)
const wholes = cases.filter(({ stream, status }) => !stream && status === 200)
const errors = cases.filter(({ status }) => status !== 200)

/** A usage with what newer servers say and renderers always do: what went into the cache. */
const withDetails = (usage: Usage): Usage => ({ cacheWriteTokens: 0, ...usage })

/** The counts of an expectation. */
const canonicalUsage = ({ usage, usage_raw: raw }: Expected): Usage => {
  const details = (raw as { input_tokens_details?: { cache_write_tokens?: number } }).input_tokens_details
  return JSON.parse(
    JSON.stringify({
      inputTokens: usage?.input,
      outputTokens: usage?.output,
      cachedTokens: usage?.cache_read,
      cacheWriteTokens: details?.cache_write_tokens,
      reasoningTokens: usage?.reasoning,
      source: "provider"
    })
  ) as Usage
}

/** Items of the output that are neither messages, reasoning nor calls of the client's tools, by their types. */
const hostedItems = ({ events }: Decoded): ReadonlyArray<string> =>
  events.flatMap((event) => {
    if (event._tag === "ToolCall" && event.providerExecuted === true) return [event.name]
    return event._tag === "Opaque" ? [String((event.value as { type: unknown }).type)] : []
  })

/** The calls as an independent decoder tells them, to whom the text of a custom tool is that text. */
const withPlainTexts = ({ toolCalls, ...gist }: ReturnType<typeof decodedGist>) => ({
  ...gist,
  toolCalls: toolCalls.map((call) => {
    const { input, ...others } = call.arguments as { readonly input?: unknown }
    const isText = typeof input === "string" && Object.keys(others).length === 0
    return isText ? { ...call, arguments: input, valid: false } : call
  })
})

const expectExpected = (decoded: Decoded, { expected }: CorpusCase): void => {
  expect(decoded.error).toBeUndefined()
  expect(grammarFaults(decoded.events)).toEqual([])
  // Hosted items are named by their types only in these recordings.
  const serverTools: ReadonlyArray<unknown> = expected.server_tool_calls ?? []
  expect({ ...withPlainTexts(decodedGist(decoded, expected)), serverTools: hostedItems(decoded) }).toEqual({
    ...expectedGist(expected),
    serverTools
  })
  expect(withDetails(decodedUsage(decoded))).toEqual(withDetails(canonicalUsage(expected)))
  const signed = decoded.events.filter((event) => event._tag === "ReasoningEnd" && event.signature !== undefined)
  expect(signed.length).toBe(expected.signatures ?? 0)
  const sources = decoded.events.filter((event) => event._tag === "Source")
  expect(sources.length).toBe((expected as { annotations?: number }).annotations ?? 0)
}

const render = ({ events }: Decoded): string => {
  const renderer = openAiResponsesDialect.renderer(contextOf())
  const text = events.map((event) => renderer.event(event)).join("") + renderer.end()
  expect(renderer.notices).toEqual([])
  return text
}

const verbatim = ({ frames }: Decoded): string => {
  const renderer = openAiResponsesDialect.renderer(contextOf())
  return frames.map((frame) => renderer.verbatim(frame)).join("") + renderer.end()
}

/** A folded answer without ids, and without endings that nobody knows. */
const comparable = ({ events }: Decoded): unknown =>
  JSON.parse(
    JSON.stringify(foldEvents(events), (key, value: unknown) => {
      if (key === "usage") return withDetails(value as Usage)
      if (key === "finish") return { reason: (value as Finish).reason.replace("unknown", "stop") }
      return key === "block" || key === "origin" || (key === "id" && !/^(resp_|call)/.test(String(value)))
        ? undefined
        : value
    })
  )

/** What is compared of an item: its place in the provider's store and empty lists say nothing. */
const comparableItem = (item: unknown): unknown =>
  JSON.parse(
    JSON.stringify(item, (key, value: unknown) =>
      key === "id" ||
      key === "status" ||
      key === "logprobs" ||
      (key === "phase" && value === null) ||
      (key === "content" && `${value}` === "")
        ? undefined
        : value
    )
  )

describe.skipIf(!corpusPresent)("recorded streams of the Responses API", () => {
  it("are there", () => expect(streams.length).toBeGreaterThan(30))

  describe.each(streams.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const whole = decodeStream(openAiResponses, [recording.body])

    it("decodes to what an independent decoder found", () => expectExpected(whole, recording))

    it("decodes alike however it is split", () => {
      const { body } = recording
      const small = body.length < 3000
      const splits = small
        ? Array.from({ length: body.length }, (_, offset) => [offset])
        : Array.from({ length: 12 }, (_, seed) => randomOffsets(seed, body.length, 40))
      for (const offsets of splits) {
        expect(decodeStream(openAiResponses, cutAt(body, offsets)).events).toEqual(whole.events)
      }
      const bytes = Array.from({ length: body.length }, (_, offset) => offset)
      expect(decodeStream(openAiResponses, cutAt(body, bytes)).events).toEqual(whole.events)
    })

    it("goes out byte for byte where nothing was changed", () => {
      // The terminator of another format does not belong here.
      const frames = whole.frames.map((frame) => frame.raw).filter((raw) => raw?.trim() !== "data: [DONE]")
      expect(verbatim(whole)).toBe(frames.join(""))
    })

    it("renders to a stream that says the same", () => {
      const text = render(whole)
      expect(streamFaults(text)).toEqual([])
      const again = decodeStream(openAiResponses, [Buffer.from(text)])
      expectExpected(again, recording)
      expect(comparable(again)).toEqual(comparable(whole))
    })

    it("goes on as events after any of its frames", () => {
      const { frames } = whole
      for (const at of [1, 2, 3, 4, 5, 8, 13, frames.length - 4, frames.length - 2, frames.length - 1]) {
        const renderer = openAiResponsesDialect.renderer(contextOf())
        const text = frames
          .map((frame, index) => renderer.verbatim(index < at ? frame : { ...frame, raw: undefined }))
          .join("")
        const again = decodeStream(openAiResponses, [Buffer.from(text + renderer.end())])
        expectExpected(again, recording)
      }
    })

    it("is read by hand as the schema reads it", () => {
      const decode = Schema.decodeUnknownResult(StreamEvent)
      for (const { data } of framesOf(recording.body.toString("utf8"))) {
        if (data === "[DONE]") continue
        const value: unknown = JSON.parse(data)
        const read = readStreamEvent(value)
        const decoded = decode(value)
        if (Result.isSuccess(decoded)) expect(read).toMatchObject(decoded.success)
        else expect(read).toBe("other")
      }
    })
  })
})

describe.skipIf(!corpusPresent)("recorded whole answers of the Responses API", () => {
  it("are there", () => expect(wholes.length).toBeGreaterThan(15))

  it.each(wholes.map((recording) => [recording.name, recording] as const))("%s", (_name, recording) => {
    const decoded = decodeWhole(openAiResponses, recording.body)
    expectExpected(decoded, recording)
    const response = foldEvents(decoded.events)
    const rendered = openAiResponsesDialect.renderWhole(response, contextOf(), [])
    const again = decodeWhole(openAiResponses, Buffer.from(JSON.stringify(rendered)))
    expect(comparable(again)).toEqual(comparable(decoded))
    const { output, id, model } = JSON.parse(recording.body.toString("utf8")) as Record<string, unknown>
    expect(rendered).toMatchObject({ id, model })
    expect(comparableItem((rendered as { output: unknown }).output)).toEqual(comparableItem(output))
  })
})

describe.skipIf(!corpusPresent)("recorded errors of the Responses API", () => {
  it.each(errors.map((recording) => [recording.name, recording] as const))(
    "%s",
    (_name, { body, status, expected }) => {
      const text = body.toString("utf8")
      const error = openAiResponses.decodeError({ status, headers: {}, body: text })
      const rendered = openAiResponsesDialect.renderError(error, "req_1")
      expect(rendered.status).toBe(status)
      if (expected.error !== undefined) expect(rendered.body).toEqual({ error: expected.error })
      else expect(text).toContain(error.message)
    }
  )

  it("have the reasons that they mean", () => {
    const reasons = errors.map(({ body, status }) => [
      status,
      openAiResponses.decodeError({ status, headers: {}, body: body.toString("utf8") }).reason._tag
    ])
    expect(Object.fromEntries(reasons)).toEqual({ 400: "UnknownModel", 401: "Unauthorized" })
  })
})

describe.skipIf(!corpusPresent)("recorded requests of the Responses API", () => {
  const requests = cases.filter(({ request }) => request !== undefined)

  it.each(requests.map((recording) => [recording.name, recording] as const))("%s", (_name, { request }) => {
    const body = request as Schema.Json & { readonly [key: string]: Schema.Json }
    const decoded = openAiResponsesDialect.decode(body)
    if (body["model"] === undefined) {
      expect(Result.isFailure(decoded) && decoded.failure.message).toBe("model is required")
      return
    }
    const { request: canonical, delivery } = Result.getOrThrow(decoded)
    expect(delivery).toBe(body["stream"] === true ? "stream" : "whole")
    const target = { model: canonical.model, delivery, quirks: {} }
    const origin = { protocol: "openai-responses", body, text: JSON.stringify(body), headers: {} }
    expect(Result.getOrThrow(openAiResponses.encode(canonical, { ...target, origin })).body).toEqual(body)
    const encoded = Result.getOrThrow(openAiResponses.encode(canonical, { ...target, origin: undefined }))
    expect(encoded.notices).toEqual([])
    const again = Result.getOrThrow(openAiResponsesDialect.decode(encoded.body)).request
    // No tools are none. A tool that does not say whether it is strict is told not to be.
    const tools = canonical.tools?.map((tool) =>
      tool._tag === "Function" && tool.freeText === undefined ? { strict: false, ...tool } : tool
    )
    const { tools: _, ...others } = canonical
    expect(again).toEqual(tools === undefined || tools.length === 0 ? others : { ...canonical, tools })
  })
})
