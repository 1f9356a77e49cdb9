import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Delivery, LlmRequest, Message } from "../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import type { RenderContext } from "../../src/protocols/Dialect.ts"
import { models } from "../../scripts/formats/table.ts"
import { formats, formatNames, type FormatName } from "../../src/providers/formats.ts"
import type { SimulatedDialect } from "../../src/providers/simulator/SimulatedDialect.ts"
import { furtherSurfaces } from "../../src/providers/simulator/formats/surfaces.ts"
import { simulatedInvokeAnthropic } from "../../src/providers/simulator/formats/invoke-anthropic.ts"
import { allSurfaces } from "../../src/protocols/surfaces.ts"
import { wellFormedEvents, type ContentKind } from "./arbitrary.ts"
import { corpusCases, corpusPresent, decodeStream, decodeWhole } from "./corpus.ts"
import { grammarFaults } from "./grammar.ts"
import { gistOf } from "./pairs-gist.ts"

/** Whoever answers in a format: callers' own where there is one, else the simulator. */
const dialects = new Map<string, SimulatedDialect>(
  [...furtherSurfaces, ...allSurfaces].flatMap(({ paths }) =>
    paths.flatMap(({ actionOf }) =>
      ["", "m:generateContent", "m/converse"].flatMap((rest) => {
        const action = actionOf(rest, { get: () => null })
        return action?._tag === "Generate" ? [[action.dialect.id, action.dialect] as const] : []
      })
    )
  )
)
// It is the Messages API in other frames, and is called so.
dialects.set("bedrock-invoke-anthropic", simulatedInvokeAnthropic)
const dialectOf = (name: FormatName): SimulatedDialect => dialects.get(name)!

/** What a format has no words for at all in its answers. */
const wordless: { readonly [name in FormatName]?: ReadonlyArray<ContentKind> } = {
  "openai-completions": ["reasoning", "tool"]
}

const request: LlmRequest = { model: "m", messages: [], sampling: {} }
const usageWanted = { stream_options: { include_usage: true } }

const contextOf = (protocol: string): RenderContext => ({
  id: "made_here",
  created: 1,
  request,
  origin: { protocol, body: usageWanted, text: JSON.stringify(usageWanted), headers: {} }
})

const gist = (events: ReadonlyArray<LlmEvent>) => {
  const { choices, usage } = gistOf(events)
  return {
    output: usage.outputTokens ?? 0,
    choices: choices.map(({ calls, finish, reasoning, text }) => ({
      text,
      reasoning,
      // Some have ids of their own for calls.
      calls: calls.map(({ arguments: input, name }) => [name, input]),
      finish
    }))
  }
}

const rendered = (name: FormatName, events: ReadonlyArray<LlmEvent>, delivery: Delivery) => {
  const dialect = dialectOf(name)
  const { protocol } = formats[name]
  if (delivery === "whole") {
    const body = JSON.stringify(dialect.renderWhole(foldEvents(events), contextOf(name), []))
    return decodeWhole(protocol, Buffer.from(body))
  }
  const renderer = dialect.renderer(contextOf(name))
  const pieces = [...events.map((event) => renderer.event(event)), renderer.end()]
  return decodeStream(protocol, [Buffer.concat(pieces.map((piece) => Buffer.from(piece)))])
}

describe.each(formatNames)("an answer in %s", (name) => {
  const kinds = (["text", "reasoning", "tool"] as const).filter((kind) => wordless[name]?.includes(kind) !== true)
  const Events = Arbitrary.filter(wellFormedEvents({ kinds, origin: name }), (events) => {
    const { choices, usage } = gistOf(events)
    // What not every format can tell: no usage, an ending without a word, arguments that were cut.
    return (
      usage.source === "provider" &&
      (["stop", "length", "tool-calls"] as ReadonlyArray<unknown>).includes(choices[0]?.finish) &&
      choices.every(({ calls }) => calls.every(({ valid }) => valid))
    )
  })

  for (const delivery of ["stream", "whole"] as const) {
    it.prop(`is read as it was rendered (${delivery})`, [Events], ([events]) => {
      const decoded = rendered(name, events, delivery)
      expect(decoded.error).toBeUndefined()
      expect(grammarFaults(decoded.events)).toEqual([])
      expect(gist(decoded.events)).toEqual(gist(events))
    })
  }
})

const Word = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Literals(["a", "Word", '"', "\\", "\n", "é", "漢字", "👋🏽", "{", "data: "])), {
    minLength: 1,
    maxLength: 5
  }),
  (pieces) => `w${pieces.join("")}w`
)

const turnOf = (index: number, asked: string, said: string, answered: string): ReadonlyArray<Message> => {
  const id = `call_${index}`
  return [
    { role: "user", parts: [{ _tag: "Text", text: asked }] },
    {
      role: "assistant",
      parts: [
        { _tag: "Text", text: said },
        { _tag: "ToolCall", id, name: "look", arguments: JSON.stringify({ at: asked }) }
      ]
    },
    {
      role: "tool",
      parts: [{ _tag: "ToolResult", callId: id, name: "look", content: [{ _tag: "Text", text: answered }] }]
    }
  ]
}

const look = {
  _tag: "Function",
  name: "look",
  description: "looks",
  inputSchema: { type: "object", properties: { at: { type: "string" } }, required: ["at"] }
} as const

/** Requests of what every format has words for: instructions, turns with calls and their results, tools, limits. */
const Requests = Arbitrary.map(
  Arbitrary.all({
    system: Word,
    turns: Arbitrary.array(Arbitrary.all({ asked: Word, said: Word, answered: Word }), { maxLength: 3 }),
    last: Word,
    limit: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9000 })))
  }),
  ({ last, limit, system, turns }): LlmRequest => ({
    model: "m",
    messages: [
      { role: "system", parts: [{ _tag: "Text", text: system }] },
      ...turns.flatMap(({ answered, asked, said }, index) => turnOf(index, asked, said, answered)),
      { role: "user", parts: [{ _tag: "Text", text: last }] }
    ],
    tools: [look],
    sampling: { maxOutputTokens: limit }
  })
)

/** The format that has no words for tools writes the conversation as one text. */
const conversing = formatNames.filter((name) => wordless[name] === undefined)

/** What a format has other words for. */
const saidOtherwise: { readonly [name in FormatName]?: string } = {
  "cohere-v2": "what was said before tools were called is sent as the plan to call them"
}

describe.each(conversing)("a request in %s", (name) => {
  const { protocol } = formats[name]
  const target = { model: "m", delivery: "whole", quirks: {}, origin: undefined } as const
  const encode = (of: LlmRequest) => Result.getOrThrow(protocol.encode(of, target))
  const decode = (body: Parameters<SimulatedDialect["decode"]>[0]) =>
    Result.getOrThrow(dialectOf(name).decode(body, { model: "m", delivery: "whole" })).request

  it.prop("is read as it was written, and written again the same", [Requests], ([asked]) => {
    const { body, notices } = encode(asked)
    for (const notice of notices) expect(notice).toMatchObject({ code: "emulated", message: saidOtherwise[name] })
    expect(encode(decode(body)).body).toEqual(body)
  })
})

/** In which field the conversation stands, if not among the messages. */
const fields: { readonly [name in FormatName]?: string } = {
  "openai-completions": "prompt",
  "gemini-interactions": "input"
}

/** What of a request decides the answer, as far as it is words. */
const sayingsOf = ({ messages, sampling, tools = [] }: LlmRequest) => ({
  messages: messages.flatMap(({ parts, role }) =>
    parts.flatMap((part) =>
      part._tag === "Text" && part.text !== ""
        ? [[role, part.text]]
        : part._tag === "ToolCall"
          ? [["call", part.name, JSON.parse(part.arguments) as unknown]]
          : part._tag === "ToolResult"
            ? [
                [
                  "result",
                  ...part.content.flatMap((piece) => (piece._tag === "Text" && piece.text !== "" ? [piece.text] : []))
                ]
              ]
            : []
    )
  ),
  tools: tools.flatMap((tool) => (tool._tag === "Function" ? [tool.name] : [])),
  limit: sampling.maxOutputTokens
})

describe
  .skipIf(!corpusPresent)
  .each(formatNames.filter((name) => !allSurfaces.some(({ dialect }) => dialect.id === name)))(
  "the recorded requests in %s",
  (name) => {
    const field = fields[name] ?? "messages"
    const requests = corpusCases(name).flatMap(({ request, name }) =>
      request === undefined ? [] : [{ name, request }]
    )

    it("are there", () => expect(requests.length).toBeGreaterThan(4))

    it.each(requests)("$name is read, and says the same when it is written again", ({ request }) => {
      const { protocol } = formats[name]
      const decode = (body: unknown) =>
        Result.getOrThrow(dialectOf(name).decode(body as Schema.Json, { model: models[name], delivery: "whole" }))
          .request
      // Recorded at another operation of the same server.
      if (!(field in (request as object))) return
      const read = decode(request)
      const target = { model: read.model, delivery: "whole", quirks: {}, origin: undefined } as const
      const { body } = Result.getOrThrow(protocol.encode(read, target))
      expect(sayingsOf(decode(body))).toEqual(sayingsOf(read))
    })
  }
)
