import type { Finish, FinishReason, LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { Usage } from "../../src/domain/Usage.ts"

/** Something that an answer may hold, given the dialect of the caller. `trace` is found in what the caller gets. */
export interface AnswerFeature {
  readonly name: string
  readonly trace: RegExp
  readonly events: (dialect: string) => ReadonlyArray<LlmEvent>
}

const started: LlmEvent = { _tag: "Started", id: "answer_1", model: "a-model" }
const hello: ReadonlyArray<LlmEvent> = [
  { _tag: "TextStart", id: "t" },
  { _tag: "TextDelta", id: "t", text: "Hello" },
  { _tag: "TextEnd", id: "t" }
]
const counted: Usage = { inputTokens: 11, outputTokens: 13, source: "provider" }
const finish = (reason: FinishReason = "stop", more: Partial<Finish> = {}): LlmEvent => ({
  _tag: "Finish",
  reason,
  usage: counted,
  ...more
})

/** How a sealed proof begins, as text and as the base64 of bytes. */
const sealed = /millrace-reasoning-1\.|bWlsbHJhY2UtcmVhc29uaW5nLTEu/

/** The plainest answer. */
export const plainestAnswer: ReadonlyArray<LlmEvent> = [started, ...hello, finish()]

const holding = (...events: ReadonlyArray<LlmEvent>) => [started, ...hello, ...events, finish()]
type CallOrigin = Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>["origin"]
const call = (
  text: string,
  more: { readonly providerExecuted?: boolean } = {},
  origin?: CallOrigin
): ReadonlyArray<LlmEvent> => [
  { _tag: "ToolInputStart", id: "call_7", name: "lookup", ...more, ...(origin === undefined ? {} : { origin }) },
  { _tag: "ToolInputDelta", id: "call_7", text },
  { _tag: "ToolInputEnd", id: "call_7" },
  { _tag: "ToolCall", id: "call_7", name: "lookup", arguments: text, valid: text.endsWith("}"), ...more }
]
const thought = (proof: { readonly signature?: string; readonly redacted?: string }, origin?: string) => {
  const signed = origin === undefined ? {} : { origin }
  const { signature, redacted } = proof
  return [
    started,
    { _tag: "ReasoningStart", id: "r", ...signed, ...(redacted === undefined ? {} : { redacted }) },
    ...(redacted === undefined ? [{ _tag: "ReasoningDelta", id: "r", text: "Two and two." } as const] : []),
    { _tag: "ReasoningEnd", id: "r", ...signed, ...(signature === undefined ? {} : { signature }) },
    ...hello,
    finish()
  ] satisfies ReadonlyArray<LlmEvent>
}
const source = { _tag: "Source", url: "https://example.com/source", title: "A source" } as const
const usage = (more: Partial<Usage>) => [started, ...hello, finish("stop", { usage: { ...counted, ...more } })]

const content: ReadonlyArray<AnswerFeature> = [
  {
    name: "text",
    trace: /Goodbye/,
    events: () => [
      started,
      ...hello,
      { _tag: "TextStart", id: "u" },
      { _tag: "TextDelta", id: "u", text: "Goodbye" },
      { _tag: "TextEnd", id: "u" },
      finish()
    ]
  },
  {
    name: "several answers",
    trace: /Goodbye/,
    events: () => [
      started,
      ...hello,
      { _tag: "TextStart", id: "u", choice: 1 },
      { _tag: "TextDelta", id: "u", choice: 1, text: "Goodbye" },
      { _tag: "TextEnd", id: "u", choice: 1 },
      { _tag: "ChoiceFinish", choice: 1, reason: "stop" },
      finish()
    ]
  },
  {
    name: "log probabilities",
    trace: /-0\.125/,
    events: () => [
      started,
      { _tag: "TextStart", id: "t" },
      { _tag: "TextDelta", id: "t", text: "Hello", logprobs: [{ token: "Hello", logprob: -0.125, top: [] }] },
      { _tag: "TextEnd", id: "t" },
      finish()
    ]
  },
  { name: "refusals", trace: /I will not\./, events: () => holding({ _tag: "RefusalDelta", text: "I will not." }) },
  { name: "reasoning", trace: /Two and two\./, events: () => thought({}) },
  {
    name: "signatures of reasoning, same format",
    trace: /c2lnbmVk/,
    events: (id) => thought({ signature: "c2lnbmVk" }, id)
  },
  {
    name: "signatures of reasoning, another format",
    trace: sealed,
    events: () => thought({ signature: "c2lnbmVk" }, "elsewhere")
  },
  {
    name: "encrypted reasoning, same format",
    trace: /ZW5jcnlwdGVk/,
    events: (id) => thought({ redacted: "ZW5jcnlwdGVk" }, id)
  },
  {
    name: "encrypted reasoning, another format",
    trace: sealed,
    events: () => thought({ redacted: "ZW5jcnlwdGVk" }, "elsewhere")
  },
  {
    name: "tool calls",
    trace: /Paris/,
    events: () => [started, ...hello, ...call('{"city":"Paris"}'), finish("tool-calls")]
  },
  {
    name: "signatures of tool calls, another format",
    trace: sealed,
    events: () => [
      started,
      ...hello,
      ...call('{"city":"Paris"}', {}, { protocol: "elsewhere", value: { signature: "c2lnbmVk" } }),
      finish("tool-calls")
    ]
  },
  {
    name: "tool calls that a limit cut",
    trace: /Par/,
    events: () => [started, ...hello, ...call('{"city":"Par'), finish("length")]
  },
  {
    name: "calls and results of the provider's tools, another format",
    trace: /Paris/,
    events: () =>
      holding(...call('{"city":"Paris"}', { providerExecuted: true }), {
        _tag: "ToolResult",
        callId: "call_7",
        protocol: "elsewhere",
        value: { found: 1 }
      })
  },
  { name: "sources", trace: /https:\/\/example\.com\/source/, events: () => holding(source) },
  {
    name: "the place in the text that a source belongs to",
    trace: /https:\/\/example\.com\/source/,
    events: () => [
      started,
      ...hello.slice(0, 2),
      { ...source, block: "t", citedText: "cited words", start: 0, end: 5 },
      ...hello.slice(2),
      finish()
    ]
  },
  {
    name: "images",
    trace: /iVBORw0KGgo=/,
    events: () => holding({ _tag: "Media", mediaType: "image/png", data: "iVBORw0KGgo=" })
  },
  {
    name: "sound",
    trace: /UklGRiQAAAA=/,
    events: () => holding({ _tag: "Media", mediaType: "audio/wav", data: "UklGRiQAAAA=" })
  },
  {
    name: "blocks that only their own format knows, another format",
    trace: /novelty/,
    events: () => holding({ _tag: "Opaque", protocol: "elsewhere", value: { novelty: 1 } })
  }
]

const endings: ReadonlyArray<AnswerFeature> = (
  ["length", "content-filter", "refusal", "pause", "error", "unknown"] as const
).map((reason) => ({ name: `ending: ${reason}`, trace: /(?:)/, events: () => [started, ...hello, finish(reason)] }))

const facts: ReadonlyArray<AnswerFeature> = [
  ...endings,
  {
    name: "the stop sequence that ended it",
    trace: /THE-END/,
    events: () => [started, ...hello, finish("stop", { stopSequence: "THE-END" })]
  },
  { name: "usage: totals", trace: /4711/, events: () => usage({ outputTokens: 4711 }) },
  { name: "usage: cached tokens", trace: /4007/, events: () => usage({ inputTokens: 4711, cachedTokens: 4007 }) },
  {
    name: "usage: tokens written to the cache",
    trace: /4007/,
    events: () => usage({ inputTokens: 4711, cacheWriteTokens: 4007 })
  },
  {
    name: "usage: tokens of reasoning",
    trace: /4007/,
    events: () => usage({ outputTokens: 4711, reasoningTokens: 4007 })
  },
  {
    name: "usage: tokens of sound",
    trace: /4007/,
    events: () => usage({ inputTokens: 4711, audioInputTokens: 4007 })
  },
  {
    name: "service tier",
    trace: /flex/,
    events: () => [{ _tag: "Started", id: "answer_1", model: "a-model", serviceTier: "flex" }, ...hello, finish()]
  }
]

/** The features of answers, what they hold and what is said of them. */
export const answerFeatures: ReadonlyArray<AnswerFeature> = [...content, ...facts]
