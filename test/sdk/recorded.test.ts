import Anthropic from "@anthropic-ai/sdk"
import { assert, describe } from "@effect/vitest"
import OpenAI from "openai"
import { fileURLToPath } from "node:url"
import { isDeepStrictEqual } from "node:util"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { corpusCases, corpusPresent } from "../protocols/corpus.ts"
import { scenarios, type Scenario } from "./scenario.ts"

/** What an SDK made of a stream: text and refusal as one, because not every API keeps them apart; calls to be run. */
interface Heard {
  readonly said: string
  readonly tools: ReadonlyArray<{ readonly id: string; readonly name: string }>
}

/** Where an SDK is pointed at. */
type Place = Pick<Scenario, "fetch" | "url">

const messages = [{ role: "user" as const, content: "Say it again." }]

const hearOpenAi = async ({ fetch, url }: Place, model: string): Promise<Heard> => {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch, maxRetries: 0 })
  const {
    content,
    refusal,
    tool_calls: calls
  } = await client.chat.completions.stream({ model, messages }).finalMessage()
  return {
    said: (content ?? "") + (refusal ?? ""),
    tools: (calls ?? []).map((call) => ({ id: call.id, name: call.type === "function" ? call.function.name : "" }))
  }
}

const hearAnthropic = async ({ fetch, url }: Place, model: string): Promise<Heard> => {
  const client = new Anthropic({ baseURL: url, apiKey: "unused", fetch, maxRetries: 0 })
  const { content } = await client.messages.stream({ model, max_tokens: 500, messages }).finalMessage()
  return {
    said: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    tools: content.flatMap((block) => (block.type === "tool_use" ? [{ id: block.id, name: block.name }] : []))
  }
}

const recorded = ({ response }: CallRecord): Heard => ({
  said: (response?.text ?? "") + (response?.refusal ?? ""),
  tools: (response?.answer?.choices[0]?.parts ?? []).flatMap((part) =>
    part._tag === "ToolCall" && part.providerExecuted !== true ? [{ id: part.id, name: part.name }] : []
  )
})

const sdks = [
  { name: "openai", hear: hearOpenAi, own: "chat" },
  { name: "@anthropic-ai/sdk", hear: hearAnthropic, own: "messages" }
]
const casesOf = { chat: () => corpusCases("openai-chat"), messages: () => corpusCases("anthropic") }

const thrown = "thrown"
const orThrown = (heard: Promise<Heard>): Promise<Heard | typeof thrown> => heard.catch(() => thrown)

describe.skipIf(!corpusPresent)("recorded streams", () => {
  const replay = fileURLToPath(new URL("../../../shared/wire", import.meta.url))
  for (const { hear, name, own } of sdks) {
    scenarios(`heard by ${name}`, { replay }, (scenario) => {
      scenario("are what the provider said, and failures are thrown", async (at) => {
        for (const recording of casesOf[at.upstream]()) {
          if (!recording.stream || recording.status !== 200) continue
          const model = `replay/${recording.name}`
          const heard = await orThrown(hear(at, at.model(model)))
          const record = await at.record()
          const expected = record.outcome?.kind === "Completed" ? recorded(record) : thrown
          // Some servers write what an SDK misreads, and where the API is the same it comes out as they wrote it.
          const misread = at.upstream === own && expected !== thrown && !isDeepStrictEqual(heard, expected)
          const direct = misread ? await orThrown(hear({ fetch, url: at.providerUrl }, model)) : expected
          assert.deepStrictEqual(heard, direct, model)
        }
      })
    })
  }
})
