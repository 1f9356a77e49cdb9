import OpenAI from "openai"
import { zodResponseFormat } from "openai/helpers/zod"
import { inputSchema, systemPrompt, toolFields, Trip, type Call, type Client, type Turn } from "./Client.ts"
import { matrix } from "./matrix.ts"

/** What the server says beyond the types of the SDK. */
interface Reasoned {
  readonly reasoning_content?: string | null
  readonly reasoning_details?: ReadonlyArray<object>
}

type Message = OpenAI.ChatCompletionMessage & Reasoned
type ToolCall = OpenAI.ChatCompletionMessageFunctionToolCall

const tools = toolFields.map(([name, field]) => ({
  type: "function" as const,
  function: { name, description: `Tells the ${name}`, parameters: inputSchema(field) }
}))

const messagesOf = (turn: Turn): ReadonlyArray<OpenAI.ChatCompletionMessageParam> => {
  if ("results" in turn) {
    return turn.results.map(({ call, output }) => ({ role: "tool", tool_call_id: call.id, content: output }))
  }
  const picture = turn.picture === undefined ? [] : [{ type: "image_url" as const, image_url: { url: turn.picture } }]
  return [{ role: "user", content: [{ type: "text", text: turn.text }, ...picture] }]
}

/** The message of a stream, gathered as clients of servers that reason do it: texts grow, lists are joined. */
const gather = async (
  chunks: AsyncIterable<OpenAI.ChatCompletionChunk>,
  onText: (text: string) => void = () => undefined
) => {
  let [content, reasoning] = ["", ""]
  const details: Array<object> = []
  const calls: Array<ToolCall> = []
  let ending: string | null | undefined
  let usage: OpenAI.CompletionUsage | null | undefined
  for await (const { choices, usage: stated } of chunks) {
    usage ??= stated
    const [choice] = choices
    if (choice === undefined) continue
    const delta: typeof choice.delta & Reasoned = choice.delta
    ending ??= choice.finish_reason
    reasoning += delta.reasoning_content ?? ""
    details.push(...(delta.reasoning_details ?? []))
    if (delta.content) {
      content += delta.content
      onText(delta.content)
    }
    for (const { index, id = "", function: piece, ...rest } of delta.tool_calls ?? []) {
      const named = { name: piece?.name ?? "", arguments: "" }
      const call = (calls[index] ??= { ...rest, id, type: "function", function: named })
      call.function.arguments += piece?.arguments ?? ""
    }
  }
  const message: Message = {
    role: "assistant",
    content,
    refusal: null,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
    ...(calls.length === 0 ? {} : { tool_calls: calls })
  }
  return { message, ending, usage }
}

const callsIn = ({ tool_calls: calls = [] }: Message): ReadonlyArray<Call> =>
  calls.flatMap((call) =>
    call.type === "function"
      ? [{ id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) }]
      : []
  )

const openAiChat: Client = {
  name: "openai: the Chat Completions API",
  asking: "openai-chat",
  endings: { stop: "stop", length: "length", tools: "tool_calls" },
  reasons: true,
  proves: true,
  signs: true,
  converse: ({ fetch, url }, { limit, model, streamed, tools: offered, trip }) => {
    const { completions } = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch, maxRetries: 0 }).chat
    const messages: Array<OpenAI.ChatCompletionMessageParam> = [{ role: "system", content: systemPrompt }]
    const ask: ReturnType<Client["converse"]>["ask"] = async (turn, { onText, signal } = {}) => {
      messages.push(...messagesOf(turn))
      const params = {
        model,
        messages,
        ...(offered ? { tools } : {}),
        ...(trip ? { response_format: zodResponseFormat(Trip, "trip") } : {}),
        ...(limit === undefined ? {} : { max_completion_tokens: limit })
      }
      const whole = async () => {
        const { choices, usage } = await completions.create(params, { signal })
        const [choice] = choices
        return { message: choice?.message as Message, ending: choice?.finish_reason, usage }
      }
      const stream = async () => {
        const usageToo = { ...params, stream: true as const, stream_options: { include_usage: true } }
        return gather(await completions.create(usageToo, { signal }), onText)
      }
      const { ending, message, usage } = streamed ? await stream() : await whole()
      messages.push(message)
      return {
        text: message.content ?? "",
        reasoning: message.reasoning_content ?? "",
        calls: callsIn(message),
        ending,
        usage: [usage?.prompt_tokens, usage?.completion_tokens]
      }
    }
    return { ask }
  }
}

matrix(openAiChat)
