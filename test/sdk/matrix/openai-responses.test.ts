import OpenAI from "openai"
import { zodTextFormat } from "openai/helpers/zod"
import { inputSchema, systemPrompt, toolFields, Trip, type Client, type Turn } from "./Client.ts"
import { matrix } from "./matrix.ts"

type Input = OpenAI.Responses.ResponseInput
type Output = OpenAI.Responses.Response["output"]

/** Nothing is kept between two turns: what was thought comes along, encrypted. */
const stateless = { store: false, include: ["reasoning.encrypted_content" as const] }

const tools = toolFields.map(([name, field]) => ({
  type: "function" as const,
  name,
  description: `Tells the ${name}`,
  parameters: inputSchema(field),
  strict: false
}))

const itemsOf = (turn: Turn): Input => {
  if ("results" in turn) {
    return turn.results.map(({ call, output }) => ({ type: "function_call_output", call_id: call.id, output }))
  }
  const picture =
    turn.picture === undefined
      ? []
      : [{ type: "input_image" as const, image_url: turn.picture, detail: "auto" as const }]
  return [{ role: "user", content: [{ type: "input_text", text: turn.text }, ...picture] }]
}

/** What was thought, in whichever of its two places. */
const thoughtIn = (output: Output): string =>
  output
    .flatMap((item) => (item.type === "reasoning" ? [...item.summary, ...(item.content ?? [])] : []))
    .map(({ text }) => text)
    .join("")

const openAiResponses: Client = {
  name: "openai: the Responses API",
  asking: "openai-responses",
  endings: { stop: "completed", length: "incomplete: max_output_tokens", tools: "completed" },
  reasons: true,
  proves: true,
  signs: true,
  converse: ({ fetch, url }, { limit, model, streamed, tools: offered, trip }) => {
    const { responses } = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch, maxRetries: 0 })
    const input: Input = []
    const ask: ReturnType<Client["converse"]>["ask"] = async (turn, { onText, signal } = {}) => {
      input.push(...itemsOf(turn))
      const params = {
        ...stateless,
        model,
        instructions: systemPrompt,
        input,
        ...(offered ? { tools } : {}),
        ...(trip ? { text: { format: zodTextFormat(Trip, "trip") } } : {}),
        ...(limit === undefined ? {} : { max_output_tokens: limit })
      }
      const stream = () => {
        const events = responses.stream(params, { signal })
        events.on("response.output_text.delta", ({ delta }) => onText?.(delta))
        return events.finalResponse()
      }
      const response = streamed ? await stream() : await responses.parse(params, { signal })
      const { incomplete_details: why, output, output_parsed: parsed, output_text: text, status, usage } = response
      // The SDK's types do not say it of every item, but what was put out is what is put in again.
      input.push(...(output as Input))
      return {
        text,
        reasoning: thoughtIn(output),
        calls: output.flatMap((item) =>
          item.type === "function_call"
            ? [{ id: item.call_id, name: item.name, input: JSON.parse(item.arguments) }]
            : []
        ),
        ending: why?.reason === undefined ? status : `${status}: ${why.reason}`,
        usage: [usage?.input_tokens, usage?.output_tokens],
        ...(trip ? { trip: parsed } : {})
      }
    }
    return { ask }
  }
}

matrix(openAiResponses)
