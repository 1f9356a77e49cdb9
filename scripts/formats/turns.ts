import type { Notice } from "../../src/domain/Call.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import type { Dialect } from "../../src/protocols/Dialect.ts"
import { isObject, type JsonObject } from "../../src/protocols/open-document.ts"
import { plainest, type Asking } from "./requests.ts"

/** A feature of the next turn: what a caller sends back of an answer that it got. */
export interface TurnFeature {
  readonly name: string
  readonly trace: RegExp
  /** what the answer began with, given the name of the format that the next request goes to */
  readonly began: (target: string) => ReadonlyArray<LlmEvent>
}

const thought = (origin: string, proof: { readonly signature?: string; readonly redacted?: string }) => {
  const { signature, redacted } = proof
  const text = redacted === undefined ? [{ _tag: "ReasoningDelta", id: "r", text: "Two and two." } as const] : []
  return [
    { _tag: "ReasoningStart", id: "r", origin, ...(redacted === undefined ? {} : { redacted }) },
    ...text,
    { _tag: "ReasoningEnd", id: "r", origin, ...(signature === undefined ? {} : { signature }) }
  ] satisfies ReadonlyArray<LlmEvent>
}

const called = (protocol: string): ReadonlyArray<LlmEvent> => [
  {
    _tag: "ToolInputStart",
    id: "call_7",
    name: "lookup",
    origin: { protocol, value: { thoughtSignature: "c2lnbmVk" } }
  },
  { _tag: "ToolInputDelta", id: "call_7", text: "{}" },
  { _tag: "ToolInputEnd", id: "call_7" },
  { _tag: "ToolCall", id: "call_7", name: "lookup", arguments: "{}", valid: true }
]

export const turnFeatures: ReadonlyArray<TurnFeature> = [
  {
    name: "earlier reasoning of the provider that is asked, unsigned",
    trace: /Two and two\./,
    began: (target) => thought(target, {})
  },
  {
    name: "earlier reasoning, signed by the provider that is asked",
    trace: /c2lnbmVk/,
    began: (target) => thought(target, { signature: "c2lnbmVk" })
  },
  {
    name: "earlier reasoning, encrypted by the provider that is asked",
    trace: /ZW5jcnlwdGVk/,
    began: (target) => thought(target, { redacted: "ZW5jcnlwdGVk" })
  },
  {
    name: "earlier reasoning, signed by another provider",
    trace: /c2lnbmVk/,
    began: () => thought("elsewhere", { signature: "c2lnbmVk" })
  },
  {
    name: "earlier calls, signed by the provider that is asked",
    trace: /c2lnbmVk/,
    began: called
  },
  {
    name: "earlier calls, signed by another provider",
    trace: /c2lnbmVk/,
    began: () => called("elsewhere")
  }
]

/** Reads a field of a document; a dialect's own answer has it. */
const list = (value: unknown): ReadonlyArray<JsonObject> => (Array.isArray(value) ? value.filter(isObject) : [])
const object = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** The conversation with an answer in it, as a caller sends back what it was given. */
const withTurn: { readonly [D in Asking]: (answer: JsonObject) => JsonObject } = {
  "openai-chat": ({ choices }) => {
    const turn = object(list(choices)[0]?.["message"])
    return { messages: [...list(plainest["openai-chat"]["messages"]), turn, { role: "user", content: "Go on." }] }
  },
  "openai-responses": ({ output }) => ({
    input: [...list(plainest["openai-responses"]["input"]), ...list(output), { role: "user", content: "Go on." }]
  }),
  "anthropic-messages": ({ content }) => ({
    messages: [
      ...list(plainest["anthropic-messages"]["messages"]),
      { role: "assistant", content: list(content) },
      { role: "user", content: "Go on." }
    ]
  }),
  gemini: ({ candidates }) => ({
    contents: [
      ...list(plainest["gemini"]["contents"]),
      object(list(candidates)[0]?.["content"]),
      { role: "user", parts: [{ text: "Go on." }] }
    ]
  })
}

/** The fields of the next request of a caller that was given such an answer, and what was said to it then. */
export const nextRequest = (
  dialect: Dialect,
  asking: Asking,
  began: ReadonlyArray<LlmEvent>
): { readonly fields: JsonObject; readonly notices: ReadonlyArray<Notice> } => {
  const events: ReadonlyArray<LlmEvent> = [
    { _tag: "Started", id: "answer_1", model: "a-model" },
    ...began,
    { _tag: "TextStart", id: "t" },
    { _tag: "TextDelta", id: "t", text: "Four." },
    { _tag: "TextEnd", id: "t" },
    { _tag: "Finish", reason: "stop", usage: { source: "none" } }
  ]
  const request = { model: "smart", messages: [], sampling: {} }
  const context = { id: "answer_1", created: 1_800_000_000, request, origin: undefined }
  const notices: Array<Notice> = []
  return { fields: withTurn[asking](object(dialect.renderWhole(foldEvents(events), context, notices))), notices }
}
