import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"

/** Some documents of a stream, each in the shape that so many others of it have. */
const Text = Schema.Literals(["a", "b", "Hello, ", "", 'a "quoted" \\ word\n', "😀"])
const documentOf = <K extends string>(kind: ReadonlyArray<K>) =>
  Schema.Struct({
    kind: Schema.Literals(kind),
    /** what those say that follow each other */
    said: Schema.Array(Schema.Struct({ text: Text, at: Schema.Literals([0, 0, 0, 0, 0, 0, 0, 1]) })).check(
      Schema.isMinLength(1),
      Schema.isMaxLength(6)
    ),
    event: Schema.Literals(["", "", "", "", "", "", "", "", "error"])
  })
type Described<K extends string> = ReturnType<typeof documentOf<K>>["Type"]
/** one of them */
type Said<K extends string> = Omit<Described<K>, "said"> & Described<K>["said"][number]

const chatKinds = ["text", "hidden", "thought", "scored", "usage", "empty", "call", "finish", "failure"] as const
const messagesKinds = ["start", "text", "thought", "input", "signature", "citation", "stop", "ping", "usage"] as const

const chunk = (choice: object | undefined, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  choices: choice === undefined ? [] : [choice],
  ...more
})

const chatDocument = ({ at, kind, text }: Said<(typeof chatKinds)[number]>, number: number): object => {
  const delta = (delta: object, finish: string | null = null) => ({ index: at, delta, finish_reason: finish })
  switch (kind) {
    case "text":
      return chunk(delta({ content: text }))
    case "hidden":
      return chunk(delta({ content: text }), { obfuscation: "x".repeat(1 + (number % 7)) })
    case "thought":
      return chunk(delta({ reasoning_content: text }))
    case "scored":
      return chunk({
        ...delta({ content: text }),
        logprobs: { content: [{ token: "a", logprob: -1, top_logprobs: [] }] }
      })
    case "usage":
      return chunk(delta({ content: text }), {
        usage: { prompt_tokens: 1, completion_tokens: number, total_tokens: number + 1 }
      })
    case "empty":
      return chunk(delta({}))
    case "call":
      return chunk(delta({ tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: text } }] }))
    case "finish":
      return chunk(delta({}, "stop"))
    case "failure":
      return chunk(delta({ content: text }), { error: { message: "no" } })
  }
}

const messagesDocument = ({ at, kind, text }: Said<(typeof messagesKinds)[number]>, number: number): object => {
  const delta = (delta: object) => ({ type: "content_block_delta", index: at, delta })
  switch (kind) {
    case "start":
      return { type: "content_block_start", index: at, content_block: { type: "text", text: "" } }
    case "text":
      return delta({ type: "text_delta", text })
    case "thought":
      return delta({ type: "thinking_delta", thinking: text })
    case "input":
      return delta({ type: "input_json_delta", partial_json: text })
    case "signature":
      return delta({ type: "signature_delta", signature: text })
    case "citation":
      return delta({ type: "citations_delta", citation: { type: "char_location", cited_text: text } })
    case "stop":
      return { type: "content_block_stop", index: at }
    case "ping":
      return { type: "ping" }
    case "usage":
      return { type: "message_delta", delta: { stop_reason: text || null }, usage: { output_tokens: number } }
  }
}

interface Sent {
  readonly data: string
  readonly event: string
}

/** What each document decodes to. */
const decoded = (protocol: Protocol, documents: ReadonlyArray<Sent>): ReadonlyArray<unknown> => {
  const decoder = protocol.decoder()
  return documents.map(({ data, event }) => {
    const events: Array<LlmEvent> = []
    const failure = decoder.step({ raw: data, event, data }, events)
    return [events, failure?.reason, decoder.isLate]
  })
}

/** With a field at the end that no other document has, no document is like another one and each is read by itself. */
const unlike = ({ data, event }: Sent, number: number): Sent => ({
  data: `${data.slice(0, -1)},"${"x".repeat(number + 1)}":0}`,
  event
})

const check = (protocol: Protocol, documents: ReadonlyArray<Sent>): void =>
  assert.deepStrictEqual(decoded(protocol, documents), decoded(protocol, documents.map(unlike)))

const written = <K extends string>(
  described: ReadonlyArray<Described<K>>,
  document: (said: Said<K>, number: number) => object
): ReadonlyArray<Sent> =>
  described
    .flatMap(({ said, ...same }) => said.map((one) => ({ ...same, ...one })))
    .map((said, number) => ({ data: JSON.stringify(document(said, number)), event: said.event }))

const listOf = <S extends Schema.Top>(item: S) => Schema.Array(item).check(Schema.isMaxLength(12))

describe("documents that are pieces of one text", () => {
  it.prop("are what each is by itself, in chat completions", [listOf(documentOf(chatKinds))], ([described]) =>
    check(openAiChat, written(described, chatDocument))
  )

  it.prop("are what each is by itself, in messages", [listOf(documentOf(messagesKinds))], ([described]) =>
    check(anthropicMessages, written(described, messagesDocument))
  )

  const saidAt =
    (at: 0 | 1) =>
    (...texts: ReadonlyArray<"a" | "b" | "Hello, ">) =>
      texts.map((text) => ({ text, at }))
  const said = saidAt(0)

  it("stay in the answer that they belong to", () => {
    check(openAiChat, written([{ kind: "text", said: saidAt(1)("a", "b", "Hello, ", "a"), event: "" }], chatDocument))
  })

  it("go on with their own kind alone", () => {
    const scored = { kind: "scored", said: said("a", "b", "Hello, "), event: "" } as const
    check(openAiChat, written([scored, { ...scored, kind: "text", said: said("a") }, scored], chatDocument))
  })

  it("end where the provider says that it failed", () => {
    const text = { kind: "text", said: said("a", "b", "Hello, ", "b"), event: "" } as const
    check(openAiChat, written([text, { ...text, event: "error" }], chatDocument))
  })
})
