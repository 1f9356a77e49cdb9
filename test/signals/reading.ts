import type { LlmRequest, Message } from "../../src/domain/LlmRequest.ts"
import { analyze, type Analysis } from "../../src/signals/analyze.ts"
import { languageNames, packsOf, taxonomies } from "../../src/signals/built-in.ts"
import { makeLexicon } from "../../src/signals/Lexicon.ts"
import { conversationOf } from "../../src/signals/Row.ts"
import type { TaxonomyName } from "../../src/signals/Taxonomy.ts"
import { type Memory, noMemory } from "../../src/signals/Watermark.ts"

export const lexicon = makeLexicon(packsOf(languageNames))

export const user = (text: string): Message => ({ role: "user", parts: [{ _tag: "Text", text }] })
export const assistant = (text: string): Message => ({ role: "assistant", parts: [{ _tag: "Text", text }] })
export const toolCall = (name: string, args: string, id = "call"): Message => ({
  role: "assistant",
  parts: [{ _tag: "ToolCall", id, name, arguments: args }]
})
export const toolResult = (text: string, id = "call", isError = false): Message => ({
  role: "tool",
  parts: [{ _tag: "ToolResult", callId: id, content: [{ _tag: "Text", text }], ...(isError ? { isError } : {}) }]
})
export const requestOf = (...messages: ReadonlyArray<Message>): LlmRequest => ({ model: "any", messages, sampling: {} })

/** Reads messages as a conversation that is known as far as `memory` says. */
export const read = (
  messages: ReadonlyArray<Message>,
  memory: Memory = noMemory,
  taxonomy: TaxonomyName = "layered"
): Analysis =>
  analyze(conversationOf(requestOf(...messages), undefined), memory, { lexicon, taxonomy: taxonomies[taxonomy] })

/** The signals as `type@message`, without their layer. */
export const named = ({ signals }: Pick<Analysis, "signals">): ReadonlyArray<string> =>
  signals.map(({ message, type }) => `${type.split(".").slice(-2).join(".")}@${message}`)
