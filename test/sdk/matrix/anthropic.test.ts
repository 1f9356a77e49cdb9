import Anthropic from "@anthropic-ai/sdk"
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod"
import { inputSchema, pictureParts, systemPrompt, toolFields, Trip, type Client, type Turn } from "./Client.ts"
import { matrix } from "./matrix.ts"

const tools: Array<Anthropic.Tool> = toolFields.map(([name, field]) => ({
  name,
  description: `Tells the ${name}`,
  input_schema: inputSchema(field)
}))

const contentOf = (turn: Turn): Array<Anthropic.ContentBlockParam> => {
  if ("results" in turn) {
    return turn.results.map(({ call, output }) => ({ type: "tool_result", tool_use_id: call.id, content: output }))
  }
  if (turn.picture === undefined) return [{ type: "text", text: turn.text }]
  const [, data] = pictureParts(turn.picture)
  return [
    { type: "text", text: turn.text },
    { type: "image", source: { type: "base64", media_type: "image/png", data } }
  ]
}

const anthropic: Client = {
  name: "@anthropic-ai/sdk",
  asking: "anthropic-messages",
  endings: { stop: "end_turn", length: "max_tokens", tools: "tool_use" },
  reasons: true,
  proves: true,
  signs: true,
  converse: ({ fetch, url }, { limit = 4000, model, streamed, tools: offered, trip }) => {
    const client = new Anthropic({ baseURL: url, apiKey: "unused", fetch, maxRetries: 0 })
    const messages: Array<Anthropic.MessageParam> = []
    const ask: ReturnType<Client["converse"]>["ask"] = async (turn, { onText, signal } = {}) => {
      messages.push({ role: "user", content: contentOf(turn) })
      const params = {
        model,
        max_tokens: limit,
        system: systemPrompt,
        messages,
        ...(offered ? { tools } : {}),
        ...(trip ? { output_config: { format: zodOutputFormat(Trip) } } : {})
      }
      const stream = () => {
        const events = client.messages.stream(params, { signal })
        events.on("text", (delta) => onText?.(delta))
        return events.finalMessage()
      }
      const message = streamed ? await stream() : await client.messages.parse(params, { signal })
      const { content, parsed_output: parsed, stop_reason: ending, usage } = message
      messages.push({ role: "assistant", content })
      const cached = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
      return {
        text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
        reasoning: content.map((block) => (block.type === "thinking" ? block.thinking : "")).join(""),
        calls: content.flatMap((block) =>
          block.type === "tool_use" ? [{ id: block.id, name: block.name, input: block.input }] : []
        ),
        ending,
        usage: [usage.input_tokens + cached, usage.output_tokens],
        ...(trip ? { trip: parsed } : {})
      }
    }
    return { ask }
  }
}

matrix(anthropic)
