import {
  generateText,
  jsonSchema,
  type LanguageModel,
  type ModelMessage,
  Output,
  streamText,
  tool,
  type ToolSet,
  type UserContent
} from "ai"
import { inputSchema, systemPrompt, toolFields, Trip, type Client, type Place, type Turn } from "./Client.ts"

// It warns of every model that it does not know.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

/** One of the AI SDK's providers. */
export interface Provider extends Pick<Client, "name" | "asking" | "reasons" | "proves" | "signs"> {
  readonly modelOf: (place: Place, model: string) => LanguageModel
  readonly providerOptions?: Parameters<typeof generateText>[0]["providerOptions"]
}

/** Without functions behind them: what they answer is the next turn. */
const tools: ToolSet = Object.fromEntries(
  toolFields.map(([name, field]) => [
    name,
    tool({ description: `Tells the ${name}`, inputSchema: jsonSchema<object>(inputSchema(field)) })
  ])
)

const messageOf = (turn: Turn): ModelMessage => {
  if ("results" in turn) {
    return {
      role: "tool",
      content: turn.results.map(({ call, output }) => ({
        type: "tool-result",
        toolCallId: call.id,
        toolName: call.name,
        output: { type: "text", value: output }
      }))
    }
  }
  const picture: UserContent = turn.picture === undefined ? [] : [{ type: "image", image: turn.picture }]
  return { role: "user", content: [{ type: "text", text: turn.text }, ...picture] }
}

/** The AI SDK over one of its providers. */
export const aiSdk = ({ modelOf, providerOptions, ...client }: Provider): Client => ({
  ...client,
  endings: { stop: "stop", length: "length", tools: "tool-calls" },
  converse: (place, { limit, model, streamed, tools: offered, trip }) => {
    const messages: Array<ModelMessage> = []
    const ask: ReturnType<Client["converse"]>["ask"] = async (turn, { onText, signal } = {}) => {
      messages.push(messageOf(turn))
      const params = {
        model: modelOf(place, model),
        instructions: systemPrompt,
        messages,
        maxRetries: 0,
        ...(providerOptions === undefined ? {} : { providerOptions }),
        ...(offered ? { tools } : {}),
        ...(trip ? { output: Output.object({ schema: Trip }) } : {}),
        ...(limit === undefined ? {} : { maxOutputTokens: limit }),
        ...(signal === undefined ? {} : { abortSignal: signal })
      }
      const stream = async () => {
        let failed: unknown
        const answer = streamText({ ...params, onError: ({ error }) => void (failed = error) })
        for await (const part of answer.stream) {
          if (part.type === "text-delta") onText?.(part.text)
          if (part.type === "abort") failed ??= new Error("aborted")
        }
        if (failed !== undefined) throw failed
        return answer
      }
      const answer = streamed ? await stream() : await generateText(params)
      const usage = await answer.usage
      messages.push(...(await answer.responseMessages))
      return {
        text: await answer.text,
        reasoning: (await answer.reasoningText) ?? "",
        calls: (await answer.toolCalls).map(({ input, toolCallId, toolName }) => ({
          id: toolCallId,
          name: toolName,
          input
        })),
        ending: await answer.finishReason,
        usage: [usage.inputTokens, usage.outputTokens],
        ...(trip ? { trip: await answer.output } : {})
      }
    }
    return { ask }
  }
})
