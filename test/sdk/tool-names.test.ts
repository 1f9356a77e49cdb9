import { assert } from "@effect/vitest"
import Anthropic from "@anthropic-ai/sdk"
import { GoogleGenAI } from "@google/genai"
import { everywhere, verdictOf } from "./formats.ts"

const long = `mcp__${"plugin_".repeat(15)}search`
const dotted = "files.server:read"

everywhere("@anthropic-ai/sdk: tools with the long names of MCP servers", "anthropic-messages", {}, (scenario) => {
  scenario("a loop", async (at) => {
    if (verdictOf("anthropic-messages", at.upstream, "tools").fate === "refused") return
    const client = new Anthropic({ apiKey: "unused", baseURL: at.url, maxRetries: 0 })
    const tools = [{ name: long, input_schema: { type: "object" as const, properties: {} } }]
    const messages: Array<Anthropic.MessageParam> = [{ role: "user", content: "Look." }]
    const ask = () =>
      client.messages.stream({ model: at.model("tools-1"), max_tokens: 2000, tools, messages }).finalMessage()
    const { content } = await ask()
    const [call] = content.filter((block) => block.type === "tool_use")
    assert.strictEqual(call?.name, long)
    messages.push({ role: "assistant", content })
    messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: call?.id ?? "", content: "42" }] })
    const { stop_reason } = await ask()
    assert.strictEqual(stop_reason, "end_turn")
    const takesLong = /anthropic|cohere|ollama/.test(at.upstream)
    for (const { body } of at.received()) {
      assert.strictEqual(JSON.stringify(body).includes(long), takesLong)
    }
  })
})

everywhere("@google/genai: tools with the names of servers in them", "gemini", {}, (scenario) => {
  scenario("a call", async (at) => {
    if (verdictOf("gemini", at.upstream, "tools").fate === "refused") return
    const { models } = new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: at.url } })
    const { functionCalls } = await models.generateContent({
      model: at.model("tools-1"),
      contents: "Look.",
      config: { tools: [{ functionDeclarations: [{ name: dotted, parametersJsonSchema: { type: "object" } }] }] }
    })
    assert.deepStrictEqual(
      functionCalls?.map(({ name }) => name),
      [dotted]
    )
  })
})
