import Anthropic, * as anthropic from "@anthropic-ai/sdk"
import { assert } from "@effect/vitest"
import { ApiError, GoogleGenAI } from "@google/genai"
import OpenAI, * as openai from "openai"
import { rejection, scenarios, type Scenario } from "./scenario.ts"

const keys = { good: "a-key-that-may-do-anything", chat: "a-key-for-chat-alone" }
const keyOf = (name: string) => `the-key-of-${name}-for-one-request`

const sections = {
  auth: {
    mode: "keys",
    keys: [
      { name: "good", key: keys.good },
      { name: "chat", key: keys.chat, models: ["chat/*"] },
      ...["openai", "anthropic", "google"].map((name) => ({
        name,
        key: keyOf(name),
        limits: { requests: { month: 1 } }
      }))
    ]
  }
}

const hello = [{ role: "user" as const, content: "Say it back, please." }]

scenarios("keys and limits", { sections }, (_, from) => {
  const ofOpenAi = ({ fetch, url }: Scenario, apiKey: string) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey, fetch, maxRetries: 0 })
  const ofAnthropic = ({ fetch, url }: Scenario, apiKey: string) =>
    new Anthropic({ baseURL: url, apiKey, fetch, maxRetries: 0 })
  const ofGoogle = ({ url }: Scenario, apiKey: string) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } })

  from.chat("openai: a key that is not valid, one that may not, one that may no more", async (at) => {
    const ask = (key: string, model: string) => ofOpenAi(at, key).chat.completions.create({ model, messages: hello })
    assert.strictEqual((await ask(keys.good, "chat/echo")).choices[0]?.message.content, hello[0]?.content)
    const unknown = await rejection(ask("nobody's", "chat/echo"))
    assert.instanceOf(unknown, openai.AuthenticationError)
    assert.strictEqual(unknown.code, "invalid_api_key")
    assert.instanceOf(await rejection(ask(keys.chat, "messages/echo")), openai.PermissionDeniedError)
    const { response } = await ofOpenAi(at, keyOf("openai"))
      .chat.completions.create({ model: "chat/echo", messages: hello })
      .withResponse()
    assert.strictEqual(response.headers.get("x-ratelimit-remaining-requests"), "0")
    const limited = await rejection(ask(keyOf("openai"), "chat/echo"))
    assert.instanceOf(limited, openai.RateLimitError)
    assert.isAbove(Number(limited.headers.get("retry-after")), 0)
  })

  from.messages("anthropic: a key that is not valid, one that may not, one that may no more", async (at) => {
    const ask = (key: string, model: string) =>
      ofAnthropic(at, key).messages.create({ model, max_tokens: 50, messages: hello })
    assert.deepInclude((await ask(keys.good, "messages/echo")).content[0], { type: "text" })
    const unknown = await rejection(ask("nobody's", "messages/echo"))
    assert.instanceOf(unknown, anthropic.AuthenticationError)
    assert.strictEqual(unknown.type, "authentication_error")
    assert.instanceOf(await rejection(ask(keys.chat, "messages/echo")), anthropic.PermissionDeniedError)
    await ask(keyOf("anthropic"), "messages/echo")
    const limited = await rejection(ask(keyOf("anthropic"), "messages/echo"))
    assert.instanceOf(limited, anthropic.RateLimitError)
    assert.strictEqual(limited.headers.get("anthropic-ratelimit-requests-remaining"), "0")
  })

  from.chat("google: a key that is not valid, one that may not, one that may no more", async (at) => {
    const ask = (key: string, model: string) => ofGoogle(at, key).models.generateContent({ model, contents: "hello" })
    assert.isString((await ask(keys.good, "chat/echo")).text)
    const statusOf = async (key: string, model: string) => {
      const error = await rejection(ask(key, model))
      assert.instanceOf(error, ApiError)
      return error.status
    }
    assert.strictEqual(await statusOf("nobody's", "chat/echo"), 401)
    assert.strictEqual(await statusOf(keys.chat, "messages/echo"), 403)
    await ask(keyOf("google"), "chat/echo")
    assert.strictEqual(await statusOf(keyOf("google"), "chat/echo"), 429)
  })
})
