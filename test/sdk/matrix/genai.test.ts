import { type Candidate, type GenerateContentResponse, GoogleGenAI, type Part, Type } from "@google/genai"
import { pictureParts, systemPrompt, toolFields, tripSchema, type Client, type Turn } from "./Client.ts"
import { matrix } from "./matrix.ts"

const tools = [
  {
    functionDeclarations: toolFields.map(([name, field]) => ({
      name,
      description: `Tells the ${name}`,
      parameters: { type: Type.OBJECT, properties: { [field]: { type: Type.STRING } }, required: [field] }
    }))
  }
]

const partsOf = (turn: Turn): Array<Part> => {
  if ("results" in turn) {
    return turn.results.map(({ call: { id, name }, output }) => ({
      functionResponse: { id, name, response: { output } }
    }))
  }
  if (turn.picture === undefined) return [{ text: turn.text }]
  const [mimeType, data] = pictureParts(turn.picture)
  return [{ text: turn.text }, { inlineData: { mimeType, data } }]
}

const partsIn = (candidate: Candidate | undefined): ReadonlyArray<Part> => candidate?.content?.parts ?? []

const genai: Client = {
  name: "@google/genai",
  asking: "gemini",
  endings: { stop: "STOP", length: "MAX_TOKENS", tools: "STOP" },
  reasons: true,
  proves: true,
  signs: true,
  converse: ({ url }, { limit, model, streamed, tools: offered, trip }) => {
    const client = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: url } })
    // The model is put into the path as it is, where a question mark would end it.
    const chat = client.chats.create({ model: model.replaceAll(/[?&]/g, ";") })
    const ask: ReturnType<Client["converse"]>["ask"] = async (turn, { onText, signal } = {}) => {
      const message = partsOf(turn)
      const config = {
        systemInstruction: systemPrompt,
        ...(offered ? { tools } : {}),
        ...(trip ? { responseMimeType: "application/json", responseJsonSchema: tripSchema } : {}),
        ...(limit === undefined ? {} : { maxOutputTokens: limit }),
        ...(signal === undefined ? {} : { abortSignal: signal })
      }
      const chunks: Array<GenerateContentResponse> = []
      if (streamed) {
        for await (const chunk of await chat.sendMessageStream({ message, config })) {
          chunks.push(chunk)
          if (chunk.text) onText?.(chunk.text)
        }
      } else {
        chunks.push(await chat.sendMessage({ message, config }))
      }
      const parts = chunks.flatMap(({ candidates }) => partsIn(candidates?.[0]))
      const textOf = (thought: boolean) =>
        parts.map((part) => ((part.thought === true) === thought ? (part.text ?? "") : "")).join("")
      const { usageMetadata: usage } = chunks.at(-1) ?? {}
      return {
        text: textOf(false),
        reasoning: textOf(true),
        calls: parts.flatMap(({ functionCall: call }) =>
          call === undefined ? [] : [{ id: call.id ?? "", name: call.name ?? "", input: call.args }]
        ),
        ending: chunks.findLast(({ candidates }) => candidates?.[0]?.finishReason)?.candidates?.[0]?.finishReason,
        usage: [usage?.promptTokenCount, (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0)]
      }
    }
    return { ask }
  }
}

matrix(genai)
