import { describe, expect, it } from "vitest"
import { ResponseStream } from "openai/lib/responses/ResponseStream"
import type { Response } from "openai/resources/responses/responses"
import type { Frame } from "../../src/domain/Frame.ts"
import { openAiResponsesDialect } from "../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../src/protocols/openai-responses/outbound.ts"
import { corpusCases, decodeStream } from "../protocols/corpus.ts"
import { contextOf } from "../protocols/openai-responses/context.ts"
import { documentsOf } from "../protocols/openai-responses/stream-grammar.ts"

type Event = { readonly type: string; readonly [field: string]: unknown }

/** A stream as a provider sends it: events of one answer, numbered. */
const streamOf = (output: ReadonlyArray<unknown>, ...events: ReadonlyArray<Event>): Buffer => {
  const response = { id: "resp_1", object: "response", created_at: 1, model: "m", status: "in_progress", output: [] }
  const all = [
    { type: "response.created", response },
    ...events,
    { type: "response.completed", response: { ...response, status: "completed", output } }
  ]
  const frames = all.map(
    (event, at) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: at })}\n\n`
  )
  return Buffer.from(frames.join(""))
}

const reasoningItem = (more: object) => ({ id: "rs_1", type: "reasoning", summary: [], ...more })
const thoughts = { item_id: "rs_1", output_index: 0, content_index: 0 }
const openThoughts = (): Buffer => {
  const part = { type: "reasoning_text", text: "Two and two." }
  const item = reasoningItem({ content: [part] })
  return streamOf(
    [item],
    { type: "response.output_item.added", output_index: 0, item: reasoningItem({}) },
    { type: "response.content_part.added", ...thoughts, part: { ...part, text: "" } },
    { type: "response.reasoning_text.delta", ...thoughts, delta: "Two " },
    { type: "response.reasoning_text.delta", ...thoughts, delta: "and " },
    { type: "response.reasoning_text.delta", ...thoughts, delta: "two." },
    { type: "response.reasoning_text.done", ...thoughts, text: "Two and two." },
    { type: "response.content_part.done", ...thoughts, part },
    { type: "response.output_item.done", output_index: 0, item }
  )
}

const twoSummaries = (): Buffer => {
  const texts = ["**One** first", "**Two** then"]
  const part = (text: string) => ({ type: "summary_text", text })
  const item = reasoningItem({ summary: texts.map(part) })
  return streamOf(
    [item],
    { type: "response.output_item.added", output_index: 0, item: reasoningItem({}) },
    ...texts.flatMap((text, summary_index): ReadonlyArray<Event> => {
      const place = { item_id: "rs_1", output_index: 0, summary_index }
      return [
        { type: "response.reasoning_summary_part.added", ...place, part: part("") },
        { type: "response.reasoning_summary_text.delta", ...place, delta: text.slice(0, 4) },
        { type: "response.reasoning_summary_text.delta", ...place, delta: text.slice(4) },
        { type: "response.reasoning_summary_text.done", ...place, text },
        { type: "response.reasoning_summary_part.done", ...place, part: part(text) }
      ]
    }),
    { type: "response.output_item.done", output_index: 0, item }
  )
}

const refusal = (): Buffer => {
  const part = { type: "refusal", refusal: "I will not." }
  const item = { id: "msg_1", type: "message", role: "assistant", status: "completed", content: [part] }
  const place = { item_id: "msg_1", output_index: 0, content_index: 0 }
  return streamOf(
    [item],
    { type: "response.output_item.added", output_index: 0, item: { ...item, status: "in_progress", content: [] } },
    { type: "response.content_part.added", ...place, part: { ...part, refusal: "" } },
    { type: "response.refusal.delta", ...place, delta: "I will " },
    { type: "response.refusal.delta", ...place, delta: "not." },
    { type: "response.refusal.done", ...place, refusal: "I will not." },
    { type: "response.content_part.done", ...place, part },
    { type: "response.output_item.done", output_index: 0, item }
  )
}

const textCall = (): Buffer => {
  const input = 'say "hi"}\\ 👋'
  const call = { id: "ctc_1", type: "custom_tool_call", call_id: "call_1", name: "sh", input, status: "completed" }
  const place = { item_id: "ctc_1", output_index: 0 }
  return streamOf(
    [call],
    { type: "response.output_item.added", output_index: 0, item: { ...call, input: "", status: "in_progress" } },
    ...Array.from({ length: input.length }, (_, at) => ({
      type: "response.custom_tool_call_input.delta",
      ...place,
      delta: input.charAt(at)
    })),
    { type: "response.custom_tool_call_input.done", ...place, input },
    { type: "response.output_item.done", output_index: 0, item: call }
  )
}

/** What the SDK makes of a stream while it comes. */
const accumulated = async (documents: ReadonlyArray<unknown>): Promise<Response> => {
  const lines = documents.map((document) => `${JSON.stringify(document)}\n`)
  const body = new ReadableStream({
    start: (controller) => {
      for (const line of lines) controller.enqueue(new TextEncoder().encode(line))
      controller.close()
    }
  })
  return ResponseStream.fromReadableStream(body).finalResponse()
}

/** The SDK notes in every item what it parsed out of it. */
const asSent = (output: unknown): unknown =>
  JSON.parse(
    JSON.stringify(output, (key, value: unknown) => (/^parsed(_arguments)?$/.test(key) ? undefined : value))
  ) as unknown

/** What the caller is sent can be read, and its last event says what the others said. */
const expectConsistent = async (text: string): Promise<void> => {
  const documents = documentsOf(text)
  const last = documents.at(-1)
  const before = await accumulated(documents.slice(0, -1))
  expect(asSent(before.output)).toEqual(asSent(last?.response?.output))
  await accumulated(documents)
  const numbers = documents.map(({ sequence_number: number }) => number)
  expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => Number(one) - Number(other)))
}

const rendererOf = () => openAiResponsesDialect.renderer(contextOf())
type Renderer = ReturnType<typeof rendererOf>

const relayed = (frames: ReadonlyArray<Frame>, send: (frame: Frame, at: number, renderer: Renderer) => string) => {
  const renderer = rendererOf()
  return frames.map((frame, at) => send(frame, at, renderer)).join("") + renderer.end()
}

const rendered = ({ events }: Frame, renderer: Renderer): string =>
  events.map((event) => renderer.event(event)).join("")

const isPiece = ({ events: [event, ...others] }: Frame): boolean =>
  others.length === 0 && event?._tag.endsWith("Delta") === true

/** A stream that is sent as it came up to each of its frames, from which on a filter changed it, or which it left out. */
const expectConsistentEverywhere = async (body: Buffer, most: number): Promise<void> => {
  const { frames } = decodeStream(openAiResponses, [body])
  const step = Math.max(1, Math.floor(frames.length / most))
  for (let from = 0; from < frames.length; from += step) {
    await expectConsistent(
      relayed(frames, (frame, at, renderer) => (at < from ? renderer.verbatim(frame) : rendered(frame, renderer)))
    )
    if (!isPiece(frames[from]!)) continue
    await expectConsistent(relayed(frames, (frame, at, renderer) => (at === from ? "" : renderer.verbatim(frame))))
  }
}

it("a call with a text goes out as it came, and is told to its end where it did not", () => {
  const { frames } = decodeStream(openAiResponses, [textCall()])
  const own = frames.map(({ raw }) => raw).join("")
  expect(relayed(frames, (frame, _, renderer) => renderer.verbatim(frame))).toBe(own)
  for (const from of frames.keys()) {
    const text = relayed(frames, (frame, at, renderer) =>
      at < from ? renderer.verbatim(frame) : rendered(frame, renderer)
    )
    const documents = documentsOf(text) as ReadonlyArray<{ readonly type: string; readonly delta?: string }>
    const told = documents.map(({ delta, type }) => (/call_input.delta$/.test(type) ? delta : "")).join("")
    expect(told).toBe('say "hi"}\\ 👋')
  }
})

describe("the SDK accumulates a stream of which only a part was sent as it came", () => {
  it.each([
    ["open thoughts", openThoughts],
    ["a summary in two parts", twoSummaries],
    ["a refusal", refusal],
    ["a call with a text", textCall]
  ])("%s", (_, stream) => expectConsistentEverywhere(stream(), 99))

  const recorded = corpusCases("openai-responses").filter(({ status, stream }) => status === 200 && stream)
  it.each(recorded.map((each) => [each.name, each] as const))("%s", async (_, { body }) => {
    const { error, frames } = decodeStream(openAiResponses, [body])
    if (error !== undefined) return
    // Some servers send what the SDK does not take.
    const own = expectConsistent(relayed(frames, (frame, _, renderer) => renderer.verbatim(frame)))
    const isSound = await own.then(
      () => true,
      () => false
    )
    if (isSound) await expectConsistentEverywhere(body, 12)
  })
})
