import type { FailureReason } from "../../src/domain/LlmError.ts"
import { anthropicMessagesDialect } from "../../src/protocols/anthropic-messages/inbound.ts"
import { anthropicMessages } from "../../src/protocols/anthropic-messages/outbound.ts"
import type { Dialect, RenderContext } from "../../src/protocols/Dialect.ts"
import { geminiArrayDialect, geminiDialect } from "../../src/protocols/gemini/inbound.ts"
import { gemini } from "../../src/protocols/gemini/outbound.ts"
import { openAiChatDialect } from "../../src/protocols/openai-chat/inbound.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import { openAiResponsesDialect } from "../../src/protocols/openai-responses/inbound.ts"
import { openAiResponses } from "../../src/protocols/openai-responses/outbound.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import { contextOf as messagesContext } from "./anthropic-messages/context.ts"
import { streamFaults as messagesFaults } from "./anthropic-messages/stream-grammar.ts"
import { contextOf as geminiContext } from "./gemini/context.ts"
import { streamFaults as geminiFaults } from "./gemini/stream-grammar.ts"
import { contextOf as chatContext } from "./openai-chat/context.ts"
import { streamFaults as chatFaults } from "./openai-chat/stream-grammar.ts"
import { contextOf as responsesContext } from "./openai-responses/context.ts"
import { streamFaults as responsesFaults } from "./openai-responses/stream-grammar.ts"

type Reason = FailureReason["_tag"]

/** A dialect as its callers see it: what they are sent, and how they read it. */
export interface Speaker {
  readonly name: string
  readonly dialect: Dialect
  readonly protocol: Protocol
  readonly context: RenderContext
  readonly streamFaults: (text: string) => ReadonlyArray<string>
  /** what else a failure may be read as, because the words that the dialect has for it stand for both */
  readonly reasonsSaidFor: (reason: FailureReason) => ReadonlyArray<Reason>
}

const usageWanted = { stream_options: { include_usage: true } }
const chatOrigin = { protocol: "openai-chat", body: usageWanted, text: JSON.stringify(usageWanted), headers: {} }

type Words = { readonly [R in Reason]?: ReadonlyArray<Reason> }

const none: ReadonlyArray<Reason> = []
const reading =
  (words: Words) =>
  ({ _tag }: FailureReason) =>
    words[_tag] ?? none

/** They know one word for anything that is not found, and one for anything that is wrong with a request. */
const coarse: Words = { UnknownModel: ["InvalidRequest"], ContextTooLong: ["InvalidRequest"] }

/**
 * Callers of both OpenAI APIs get the words of whichever server speaks one of them; in a stream of the Responses API there
 * is no place for the type beside the code.
 */
const wordsOfServers: Words = {
  UnknownModel: ["InvalidRequest"],
  ContextTooLong: ["InvalidRequest"],
  Unauthorized: ["UpstreamServer"],
  InvalidRequest: ["UpstreamServer"]
}

const geminiSpeaker: Speaker = {
  name: "gemini",
  dialect: geminiDialect,
  protocol: gemini,
  context: geminiContext(),
  streamFaults: geminiFaults,
  // What a model cannot do is read out of the message, whoever wrote it.
  reasonsSaidFor: reading({ ...coarse, InvalidRequest: [...(coarse.InvalidRequest ?? none), "Unsupported"] })
}

/** Every dialect; Gemini in both of its framings. */
export const speakers: ReadonlyArray<Speaker> = [
  {
    name: "openai-chat",
    dialect: openAiChatDialect,
    protocol: openAiChat,
    context: chatContext({ origin: chatOrigin }),
    streamFaults: chatFaults,
    reasonsSaidFor: reading({})
  },
  {
    name: "openai-responses",
    dialect: openAiResponsesDialect,
    protocol: openAiResponses,
    context: responsesContext(),
    streamFaults: responsesFaults,
    reasonsSaidFor: reading(wordsOfServers)
  },
  {
    name: "anthropic-messages",
    dialect: anthropicMessagesDialect,
    protocol: anthropicMessages,
    context: messagesContext(),
    streamFaults: messagesFaults,
    reasonsSaidFor: reading(coarse)
  },
  geminiSpeaker,
  {
    ...geminiSpeaker,
    name: "gemini as an array",
    dialect: geminiArrayDialect,
    streamFaults: (text) => (Array.isArray(JSON.parse(text)) ? [] : ["not an array"])
  }
]
