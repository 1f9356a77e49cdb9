import { OpenAIEmbeddings } from "@langchain/openai"
import { createOpenAI } from "@ai-sdk/openai"
import { assert } from "@effect/vitest"
import { embedMany } from "ai"
import OpenAI, { BadRequestError } from "openai"
import { GoogleGenAI } from "@google/genai"
import { formats, formatNames, type FormatName } from "../../src/providers/formats.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import { everywhere } from "./formats.ts"
import { rejection, scenarios } from "./scenario.ts"

const options = {
  providers: { simulator: { protocol: "simulator" } }
}

scenarios("embeddings", options, (_, from) => {
  from.chat("come to OpenAI's SDK, which asks for base64, and to whoever asks for numbers", async (scenario) => {
    const client = new OpenAI({ baseURL: `${scenario.url}/v1`, apiKey: "unused", fetch: scenario.fetch, maxRetries: 0 })
    const input = ["north", "south"]
    // Without an encoding the SDK asks for base64 and decodes it.
    const decoded = await client.embeddings.create({ model: scenario.model("echo"), input })
    const numbers = await client.embeddings.create({ model: "simulator/echo", input, encoding_format: "float" })
    assert.deepStrictEqual(
      decoded.data.map(({ embedding }) => embedding),
      numbers.data.map(({ embedding }) => embedding)
    )
    assert.deepStrictEqual(decoded.usage, { prompt_tokens: 2, total_tokens: 2 })
    const failed = await client.embeddings.create({ model: "messages/echo", input }).catch((error: unknown) => error)
    assert.instanceOf(failed, BadRequestError)
    const [record] = await scenario.records()
    assert.strictEqual(record?.usage?.inputTokens, 2)
  })

  from.chat("come to the AI SDK and to LangChain", async (scenario) => {
    const { url, fetch } = scenario
    const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch })
    const { embeddings } = await embedMany({
      model: openai.textEmbeddingModel(scenario.model("echo")),
      values: ["north", "south"]
    })
    const langchain = new OpenAIEmbeddings({
      model: scenario.model("echo"),
      apiKey: "unused",
      configuration: { baseURL: `${url}/v1`, fetch }
    })
    assert.deepStrictEqual(await langchain.embedDocuments(["north", "south"]), embeddings)
  })

  from.chat("are of models that the SDK can list", async (scenario) => {
    const client = new OpenAI({ baseURL: `${scenario.url}/v1`, apiKey: "unused", maxRetries: 0 })
    const ids: Array<string> = []
    for await (const { id } of client.models.list()) ids.push(id)
    assert.includeMembers(ids, ["simulator/echo", "chat/echo", "messages/echo"])
    const one = await client.models.retrieve("chat/echo")
    assert.strictEqual(one.owned_by, "chat")
  })
})

/** What an API is asked of by paths of its own, where it has them. */
const protocolOf = (name: FormatName): Protocol => formats[name].protocol

everywhere("embeddings from every API", "openai-chat", {}, (scenario) => {
  scenario("come to OpenAI's SDK and to Google's, or are refused where the API has none", async (at) => {
    const openai = new OpenAI({ baseURL: `${at.url}/v1`, apiKey: "unused", fetch: at.fetch, maxRetries: 0 })
    const google = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: at.url } })
    const model = `${at.upstream}/echo`
    const ask = () => openai.embeddings.create({ model, input: ["north", "south"], dimensions: 3 })
    const contents = ["north", "south"]
    const askGoogle = () => google.models.embedContent({ model, contents, config: { outputDimensionality: 3 } })
    if (protocolOf(at.upstream).embed === undefined) {
      assert.instanceOf(await rejection(ask()), BadRequestError)
      assert.deepInclude(await rejection(askGoogle()), { status: 400 })
      return assert.lengthOf(at.received(), 0)
    }
    const { data, usage } = await ask()
    assert.deepStrictEqual(
      data.map(({ embedding }) => embedding.length),
      [3, 3]
    )
    assert.strictEqual(usage.prompt_tokens, 2)
    const { embeddings = [] } = await askGoogle()
    assert.deepStrictEqual(
      embeddings.map(({ values }) => values),
      data.map(({ embedding }) => embedding)
    )
  })
})

everywhere("models of every API", "openai-chat", {}, (scenario) => {
  scenario("are listed where the API lists them", async (at) => {
    const client = new OpenAI({ baseURL: `${at.url}/v1`, apiKey: "unused", maxRetries: 0 })
    const ids: Array<string> = []
    for await (const { id } of client.models.list()) ids.push(id)
    const listed = ids.filter((id) => id.startsWith(`${at.upstream}/`))
    if (protocolOf(at.upstream).listModels === undefined) assert.isEmpty(listed)
    else assert.include(listed, `${at.upstream}/echo`)
    assert.isAbove(formatNames.length, 9)
  })
})
