import { ChatAnthropic } from "@langchain/anthropic"
import type { BaseChatModel } from "@langchain/core/language_models/chat_models"
import {
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
  type UsageMetadata
} from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOpenAI } from "@langchain/openai"
import { z } from "zod"
import { systemPrompt, toolFields, Trip, type Client, type Place, type Question, type Turn } from "./Client.ts"
import { matrix } from "./matrix.ts"

/** One of LangChain's chat models. */
interface ChatModel extends Omit<Client, "converse"> {
  readonly modelOf: (place: Place, question: Question) => BaseChatModel
}

const tools = toolFields.map(([name, field]) =>
  tool(() => "", { name, description: `Tells the ${name}`, schema: z.object({ [field]: z.string() }) })
)

const messagesOf = (turn: Turn): ReadonlyArray<BaseMessage> => {
  if ("results" in turn) {
    return turn.results.map(
      ({ call, output }) => new ToolMessage({ tool_call_id: call.id, name: call.name, content: output })
    )
  }
  const picture = turn.picture === undefined ? [] : [{ type: "image_url", image_url: { url: turn.picture } }]
  return [new HumanMessage({ content: [{ type: "text", text: turn.text }, ...picture] })]
}

const reasoningIn = ({ contentBlocks }: AIMessageChunk): string =>
  contentBlocks.map((block) => (block.type === "reasoning" ? block.reasoning : "")).join("")

/** The word for the ending, in whichever of the places its API has it. */
const endingOf = ({ additional_kwargs: more, response_metadata: facts }: AIMessageChunk): string | undefined => {
  const all = { ...facts, ...more } as { readonly [key: string]: string | undefined }
  return all["finish_reason"] ?? all["stop_reason"] ?? all["status"]
}

const langChain = ({ modelOf, ...client }: ChatModel): Client => ({
  ...client,
  converse: (place, question) => {
    const messages: Array<BaseMessage> = [new SystemMessage(systemPrompt)]
    const chat = modelOf(place, question)
    const model = question.tools ? chat.bindTools!(tools) : chat
    const ask: ReturnType<Client["converse"]>["ask"] = async (turn, { onText, signal } = {}) => {
      messages.push(...messagesOf(turn))
      const options = signal === undefined ? {} : { signal }
      if (question.trip) {
        const trip = await chat
          .withStructuredOutput(Trip, { name: "trip", method: "jsonSchema" })
          .invoke(messages, options)
        return { text: "", reasoning: "", calls: [], ending: undefined, usage: [undefined, undefined], trip }
      }
      const stream = async () => {
        let all: AIMessageChunk | undefined
        for await (const chunk of await model.stream(messages, options)) {
          if (chunk.text !== "") onText?.(chunk.text)
          all = all === undefined ? chunk : all.concat(chunk)
        }
        return all!
      }
      const message: AIMessageChunk = question.streamed ? await stream() : await model.invoke(messages, options)
      messages.push(message)
      const { text, tool_calls: calls = [] } = message
      // Its type is lost where chunks of all kinds are.
      const usage = message.usage_metadata as UsageMetadata | undefined
      return {
        text,
        reasoning: reasoningIn(message),
        calls: calls.map(({ id = "", name, args }) => ({ id, name, input: args })),
        ending: endingOf(message),
        usage: [usage?.input_tokens, usage?.output_tokens]
      }
    }
    return { ask }
  }
})

matrix(
  langChain({
    name: "LangChain's ChatOpenAI",
    asking: "openai-chat",
    endings: { stop: "stop", length: "length", tools: "tool_calls" },
    // The official API shows no reasoning, so it looks for none.
    reasons: false,
    proves: false,
    signs: false,
    modelOf: ({ fetch, url }, { limit, model }) =>
      new ChatOpenAI({
        model,
        apiKey: "unused",
        configuration: { baseURL: `${url}/v1`, fetch },
        streamUsage: true,
        maxRetries: 0,
        ...(limit === undefined ? {} : { maxTokens: limit })
      })
  })
)

matrix(
  langChain({
    name: "LangChain's ChatOpenAI with the Responses API",
    asking: "openai-responses",
    endings: { stop: "completed", length: "incomplete", tools: "completed" },
    reasons: true,
    proves: true,
    signs: true,
    modelOf: ({ fetch, url }, { limit, model }) =>
      new ChatOpenAI({
        model,
        apiKey: "unused",
        configuration: { baseURL: `${url}/v1`, fetch },
        useResponsesApi: true,
        // Nothing is stored: what was thought comes along, encrypted.
        zdrEnabled: true,
        maxRetries: 0,
        ...(limit === undefined ? {} : { maxTokens: limit })
      })
  })
)

matrix(
  langChain({
    name: "LangChain's ChatAnthropic",
    asking: "anthropic-messages",
    endings: { stop: "end_turn", length: "max_tokens", tools: "tool_use" },
    reasons: true,
    proves: true,
    signs: true,
    countsAtStart: true,
    modelOf: ({ fetch, url }, { limit = 4000, model }) =>
      new ChatAnthropic({
        model,
        apiKey: "unused",
        anthropicApiUrl: url,
        clientOptions: { fetch },
        maxRetries: 0,
        maxTokens: limit
      })
  })
)
