import { Arbitrary, Schema } from "effect"
import type { FinishReason, LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Usage } from "../../src/domain/Usage.ts"

/** Text that trips over escapes, framing, code points of two units and tags: every piece is whole code points. */
const pieces = [
  "a",
  "Word",
  " ",
  "\n",
  "\r\n",
  "\t",
  '"',
  "\\",
  "{",
  "}",
  "data: ",
  ": ",
  "</think>",
  "null",
  "[DONE]"
].concat(["é", "漢字", "👋🏽", "\u2028", "\u0000", "\ufeff", "\ufffd"])
const Text = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Literals(pieces)), { minLength: 1, maxLength: 6 }),
  (chosen) => chosen.join("")
)
const Deltas = Arbitrary.array(Text, { minLength: 1, maxLength: 4 })

const oneOf = <A>(arbitraries: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: arbitraries.length - 1 }))),
    (index) => arbitraries[index] ?? arbitraries[0]!
  )
const maybe = <A>(arbitrary: Arbitrary.Arbitrary<A>): Arbitrary.Arbitrary<A | undefined> =>
  oneOf<A | undefined>([Arbitrary.Constant(undefined), arbitrary])
const natural = (maximum: number) => Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum })))

type Content =
  | { readonly kind: "text"; readonly deltas: ReadonlyArray<string> }
  | { readonly kind: "refusal"; readonly deltas: ReadonlyArray<string> }
  | { readonly kind: "reasoning"; readonly deltas: ReadonlyArray<string> }
  | { readonly kind: "signed"; readonly deltas: ReadonlyArray<string>; readonly signature: string }
  | { readonly kind: "redacted"; readonly data: string }
  | { readonly kind: "tool"; readonly name: string; readonly input: Record<string, string>; readonly every: number }
  | { readonly kind: "source"; readonly url: string; readonly title: string }

/** What an answer may be made of. `signed` is reasoning with a signature, `tools` are calls with their arguments in pieces. */
export type ContentKind = Content["kind"]

const contentOf = (kind: ContentKind): Arbitrary.Arbitrary<Content> => {
  switch (kind) {
    case "text":
    case "refusal":
    case "reasoning":
      return Arbitrary.map(Deltas, (deltas) => ({ kind, deltas }))
    case "signed":
      return Arbitrary.map(Arbitrary.all({ deltas: Deltas, signature: Text }), (signed) => ({ kind, ...signed }))
    case "redacted":
      return Arbitrary.map(Text, (data) => ({ kind, data }))
    case "tool":
      return Arbitrary.map(
        Arbitrary.all({
          name: Arbitrary.schema(Schema.Literals(["lookup", "get_weather", "a-b"])),
          input: Arbitrary.map(Arbitrary.array(Arbitrary.all([Text, Text]), { maxLength: 3 }), Object.fromEntries),
          every: natural(8)
        }),
        (call) => ({ kind, ...call, every: call.every + 1 })
      )
    case "source":
      return Arbitrary.map(natural(99), (n) => ({ kind, url: `https://example.com/${n}`, title: `Page ${n}` }))
  }
}

/** Neighbours of one kind would be one block in a format that does not mark where blocks begin; sources stand between. */
const family: { readonly [kind in ContentKind]?: string } = {
  text: "text",
  refusal: "refusal",
  reasoning: "reasoning",
  signed: "reasoning"
}
const apart = (contents: ReadonlyArray<Content>): ReadonlyArray<Content> => {
  const kept: Array<Content> = []
  for (const content of contents) {
    const before = kept.findLast(({ kind }) => kind !== "source")
    const mine = family[content.kind]
    if (mine === undefined || before === undefined || family[before.kind] !== mine) kept.push(content)
  }
  return kept
}

const inPieces = (text: string, every: number): ReadonlyArray<string> =>
  Array.from({ length: Math.ceil(text.length / every) }, (_, i) => text.slice(i * every, (i + 1) * every))

const eventsOf = (
  content: Content,
  id: string,
  choice: { readonly choice?: number },
  signedBy: { readonly origin?: string }
): ReadonlyArray<LlmEvent> => {
  switch (content.kind) {
    case "text":
      return [
        { _tag: "TextStart", id, ...choice },
        ...content.deltas.map((text) => ({ _tag: "TextDelta", id, ...choice, text }) as const),
        { _tag: "TextEnd", id, ...choice }
      ]
    case "refusal":
      return content.deltas.map((text) => ({ _tag: "RefusalDelta", ...choice, text }) as const)
    case "reasoning":
    case "signed":
      return [
        { _tag: "ReasoningStart", id, ...choice },
        ...content.deltas.map((text) => ({ _tag: "ReasoningDelta", id, ...choice, text }) as const),
        {
          _tag: "ReasoningEnd",
          id,
          ...choice,
          ...(content.kind === "signed" ? { signature: content.signature } : {}),
          ...signedBy
        }
      ]
    case "redacted":
      return [
        { _tag: "ReasoningStart", id, ...choice, redacted: content.data, ...signedBy },
        { _tag: "ReasoningEnd", id, ...choice }
      ]
    case "tool": {
      const json = JSON.stringify(content.input)
      return [
        { _tag: "ToolInputStart", id, ...choice, name: content.name },
        ...inPieces(json, content.every).map((text) => ({ _tag: "ToolInputDelta", id, ...choice, text }) as const),
        { _tag: "ToolInputEnd", id, ...choice },
        { _tag: "ToolCall", id, ...choice, name: content.name, arguments: json, valid: true }
      ]
    }
    case "source":
      return [{ _tag: "Source", ...choice, url: content.url, title: content.title }]
  }
}

interface Answer {
  readonly contents: ReadonlyArray<Content>
  readonly reason: FinishReason
}

const answerOf = (kinds: ReadonlyArray<ContentKind>): Arbitrary.Arbitrary<Answer> =>
  Arbitrary.map(
    Arbitrary.all({
      contents: Arbitrary.array(oneOf(kinds.map(contentOf)), { maxLength: 5 }),
      reason: Arbitrary.schema(Schema.Literals(["stop", "length", "content-filter"]))
    }),
    ({ contents, reason }) => {
      const called = contents.some((content) => content.kind === "tool")
      return { contents: apart(contents), reason: called && reason !== "length" ? "tool-calls" : reason }
    }
  )

const UsageCounts = Arbitrary.map(
  maybe(
    Arbitrary.all({ input: natural(5000), cached: natural(5000), output: natural(5000), reasoning: natural(5000) })
  ),
  (counts): Usage =>
    counts === undefined
      ? { source: "none" }
      : {
          inputTokens: counts.input + counts.cached,
          cachedTokens: counts.cached,
          outputTokens: counts.output + counts.reasoning,
          reasoningTokens: counts.reasoning,
          source: "provider"
        }
)

/**
 * Complete streams of events that obey the grammar, block after block, made of the given kinds of content. With
 * `choices` there may be further answers beside the first, one after the other. `origin` is whose reasoning it is. Ids
 * of tool calls are `call_<n>`.
 */
export const wellFormedEvents = (options: {
  readonly kinds: ReadonlyArray<ContentKind>
  readonly choices?: boolean
  readonly origin?: string
}): Arbitrary.Arbitrary<ReadonlyArray<LlmEvent>> =>
  Arbitrary.map(
    Arbitrary.all({
      answers: Arbitrary.array(answerOf(options.kinds), { minLength: 1, maxLength: options.choices === true ? 3 : 1 }),
      created: natural(2_000_000_000),
      usage: UsageCounts
    }),
    ({ answers, created, usage }) => {
      const signedBy = options.origin === undefined ? {} : { origin: options.origin }
      const events: Array<LlmEvent> = [{ _tag: "Started", id: "answer-1", model: "a-model", created }]
      let blocks = 0
      answers.forEach((answer, index) => {
        const choice = index === 0 ? {} : { choice: index }
        for (const content of answer.contents) {
          const id = content.kind === "tool" ? `call_${blocks++}` : `block_${blocks++}`
          events.push(...eventsOf(content, id, choice, signedBy))
        }
        if (index > 0) events.push({ _tag: "ChoiceFinish", choice: index, reason: answer.reason })
      })
      events.push({ _tag: "Finish", reason: answers[0]?.reason ?? "stop", usage })
      return events
    }
  )

/**
 * Events as they can be compared with those of another decoder: ids of text and reasoning by the order in which they
 * began, no statement of usage but the last one, no raw finish reasons.
 */
export const normalisedEvents = (events: ReadonlyArray<LlmEvent>): ReadonlyArray<LlmEvent> => {
  const ids = new Map<string, string>()
  return events.flatMap((event): ReadonlyArray<LlmEvent> => {
    switch (event._tag) {
      case "TextStart":
      case "ReasoningStart":
        ids.set(event.id, `block ${ids.size}`)
        return [{ ...event, id: ids.get(event.id)! }]
      case "TextDelta":
      case "TextEnd":
      case "ReasoningDelta":
      case "ReasoningEnd":
        return [{ ...event, id: ids.get(event.id) ?? event.id }]
      case "UsageReported":
        return []
      case "ChoiceFinish":
      case "Finish": {
        const { rawReason: _, ...rest } = event
        return [rest]
      }
      default:
        return [event]
    }
  })
}
