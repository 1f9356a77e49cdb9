import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { ask, running } from "./running.ts"
import { answering, type Answering, scriptedProvider } from "./scripted-provider.ts"
import { json } from "./simulate/server.ts"

type Fields = { readonly [key: string]: unknown }

/** Vendors in these tests, each as particular as the real one. */
class Vendors extends Context.Service<Vendors, { readonly url: string }>()("test/server/vendors/Vendors") {}

const call = { id: "toolcall1", type: "function", function: { name: "look_up", arguments: "{}" } }
const answer = (message: Fields) => ({
  id: "1",
  object: "chat.completion",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
})

/** Refuses what `faultOf` finds; the first turn thinks and calls, the next one is an answer. */
const vendor =
  (thoughts: Fields, faultOf: (body: Fields, messages: ReadonlyArray<Fields>) => string | undefined): Answering =>
  (response, received) => {
    const body = received.body ?? {}
    const messages = body["messages"] as ReadonlyArray<Fields> // Millrace always sends some.
    const fault = faultOf(body, messages)
    if (fault !== undefined) return answering({ error: { message: fault } }, 400)(response, received)
    const told = messages.some(({ role }) => role === "tool")
    return answering(answer(told ? { content: "Seven." } : { ...thoughts, tool_calls: [call] }))(response, received)
  }

const named =
  (...names: ReadonlyArray<string>) =>
  (_: Fields, messages: ReadonlyArray<Fields>): string | undefined => {
    const name = names.find((name) => messages.some((message) => name in message))
    return name === undefined ? undefined : `property '${name}' is unsupported`
  }

const ofMistral = new Set([
  "model",
  "messages",
  "max_tokens",
  "tools",
  "temperature",
  "stream",
  "random_seed",
  "metadata"
])
const inMessages = new Set(["role", "content", "tool_calls", "tool_call_id"])

const mistralFault = (body: Fields, messages: ReadonlyArray<Fields>): string | undefined => {
  const extra = [
    ...Object.keys(body).filter((key) => !ofMistral.has(key)),
    ...messages.flatMap((message) => Object.keys(message).filter((key) => !inMessages.has(key)))
  ]
  if (messages.some(({ role }, at) => role === "user" && messages[at - 1]?.["role"] === "tool")) {
    return "Unexpected role 'user' after role 'tool'"
  }
  if (extra.length > 0) return `Extra inputs are not permitted: ${extra.join(", ")}`
  const ids = messages.flatMap(({ tool_call_id: id, tool_calls: calls }) => [
    ...(id === undefined ? [] : [id]),
    ...((calls as ReadonlyArray<Fields> | undefined) ?? []).map(({ id }) => id)
  ])
  return ids.every((id) => /^[a-zA-Z0-9]{9}$/.test(String(id))) ? undefined : "a tool call id has a length of 9"
}

const deepseekFault = (_: Fields, messages: ReadonlyArray<Fields>): string | undefined =>
  messages.every(({ role, reasoning_content: thought }) => role !== "assistant" || thought)
    ? undefined
    : "The reasoning_content in the thinking mode must be passed back"

/** One model thinks as much as it thinks, and knows no end but its own; the other is told how much. */
const xaiFault = (body: Fields): string | undefined => {
  const refused = ["stop", "presence_penalty", ...(body["model"] === "grok-4" ? ["reasoning_effort"] : [])]
  const field = refused.find((name) => name in body)
  if (field !== undefined) return `Argument not supported on this model: ${field}`
  return body["model"] === "grok-4.3" && body["reasoning_effort"] === undefined ? "no effort" : undefined
}

/** Answers in one piece only what is short. */
const fireworks: Answering = (response, received) => {
  const { stream, max_tokens: limit } = received.body ?? {}
  if (stream !== true) {
    const error = { message: "Requests with max_tokens > 4096 must have stream=true", param: "max_tokens" }
    return Number(limit) > 4096
      ? answering({ error }, 400)(response, received)
      : answering(answer({ content: "Short." }))(response, received)
  }
  const chunk = (delta: Fields, more: Fields = {}) =>
    `data: ${JSON.stringify({ id: "1", model: "m", choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.end(`${chunk({ content: "Lo" })}${chunk({ content: "ng." }, { finish_reason: "stop" })}data: [DONE]\n\n`)
}

const vendors = Layer.effect(
  Vendors,
  scriptedProvider({
    "/groq/chat/completions": vendor({ reasoning: "Hm." }, named("reasoning_content", "reasoning_details")),
    "/cerebras/chat/completions": vendor({ reasoning: "Hm." }, named("reasoning_content", "reasoning_details")),
    "/mistral/chat/completions": vendor(
      { content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm." }] }] },
      mistralFault
    ),
    "/deepseek/chat/completions": vendor({ reasoning_content: "Hm." }, deepseekFault),
    "/fireworks/chat/completions": fireworks,
    "/xai/chat/completions": vendor({ content: "Hm." }, xaiFault),
    "/perplexity/chat/completions": vendor({}, () => undefined),
    "/bedrock/model/m/count-tokens": answering({ message: "The provided model doesn't support counting tokens." }, 400),
    "/overloaded/v1/messages/count_tokens": answering({ error: { type: "overloaded_error", message: "Later." } }, 529),
    "/refusing/v1/messages/count_tokens": answering(
      { error: { type: "invalid_request_error", message: "No such tool." } },
      400
    ),
    "/keyed/v1/messages/count_tokens": (response, received) => {
      const isGood = received.headers["x-api-key"] === "good"
      return isGood
        ? answering({ input_tokens: 42 })(response, received)
        : answering({ error: { type: "authentication_error", message: "Who?" } }, 401)(response, received)
    }
  })
)

const names = ["groq", "cerebras", "mistral", "deepseek"] as const

const server = Layer.unwrap(
  Effect.map(Vendors, ({ url }) =>
    running({
      providers: {
        ...Object.fromEntries(
          [...names, "fireworks", "xai", "perplexity", "anthropic"].map((name) => [
            name,
            { preset: name, baseUrl: `${url}/${name}`, apiKey: "sk-1" }
          ])
        ),
        bedrock: { protocol: "bedrock-converse", baseUrl: `${url}/bedrock`, apiKey: "sk-1" },
        overloaded: { protocol: "anthropic-messages", baseUrl: `${url}/overloaded`, apiKey: "sk-1" },
        refusing: { protocol: "anthropic-messages", baseUrl: `${url}/refusing`, apiKey: "sk-1" },
        keyed: { protocol: "anthropic-messages", baseUrl: `${url}/keyed`, apiKeys: ["revoked", "good"] }
      },
      models: {
        sure: { targets: ["overloaded", "keyed"].map((provider) => ({ provider, model: "m" })) },
        wrong: { targets: ["refusing", "keyed"].map((provider) => ({ provider, model: "m" })) },
        spared: { targets: ["overloaded", "mistral"].map((provider) => ({ provider, model: "m" })) }
      }
    })
  )
).pipe(Layer.provideMerge(vendors))

const messages = (body: Fields) =>
  ask("/v1/messages", { body: { max_tokens: 500, metadata: { user_id: "u" }, ...body } })

const tools = [{ name: "look_up", input_schema: { type: "object" } }]
const asked = { role: "user", content: "Look it up." }
const results = (...ids: ReadonlyArray<unknown>) => ({
  role: "user",
  content: ids.map((id) => ({ type: "tool_result", tool_use_id: id, content: "7" }))
})

layer(server, { excludeTestServices: true })("a loop of tools in the Messages API", (it) => {
  it.effect.each(names)("whose model thinks goes on at %s, as particular as it is", (name) =>
    Effect.gen(function* () {
      const first = yield* messages({ model: `${name}/m`, tools, messages: [asked] })
      assert.strictEqual(first.status, 200, first.text)
      const { content } = json(first)
      assert.deepInclude(content[0], { type: "thinking", thinking: "Hm." })
      const next = yield* messages({
        model: `${name}/m`,
        tools,
        messages: [asked, { role: "assistant", content }, results(content.at(-1).id)]
      })
      assert.strictEqual(next.status, 200, next.text)
      assert.deepInclude(json(next).content[0], { type: "text", text: "Seven." })
    })
  )

  it.effect.each(names)("that began at another provider is gone on with at %s", (name) =>
    Effect.gen(function* () {
      const content = [
        { type: "thinking", thinking: "Hm.", signature: "EuYBCkQ" },
        { type: "tool_use", id: "toolu_01A09q90qw90lq917835lq9", name: "look_up", input: {} }
      ]
      const seen = yield* messages({
        model: `${name}/m`,
        tools,
        messages: [asked, { role: "assistant", content }, results(content[1]?.id), { role: "user", content: "Go on." }]
      })
      assert.strictEqual(seen.status, 200, seen.text)
    })
  )
})

layer(server, { excludeTestServices: true })("a count of tokens", (it) => {
  it.effect("is estimated where the provider counts for other models", () =>
    Effect.gen(function* () {
      const seen = yield* ask("/v1/messages/count_tokens", { body: { model: "bedrock/m", messages: [asked] } })
      assert.strictEqual(seen.status, 200, seen.text)
      assert.isAbove(json(seen).input_tokens, 0)
    })
  )

  it.effect("is estimated where the provider speaks the API and does not count", () =>
    Effect.gen(function* () {
      const seen = yield* ask("/v1/messages/count_tokens", { body: { model: "anthropic/m", messages: [asked] } })
      assert.strictEqual(seen.status, 200, seen.text)
      assert.isAbove(json(seen).input_tokens, 0)
    })
  )
})

layer(server, { excludeTestServices: true })("a count of tokens that a provider does not give now", (it) => {
  const counted = (model: string) => ask("/v1/messages/count_tokens", { body: { model, messages: [asked] } })

  it.effect("is that of the next target that can be asked, by whichever of its keys", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(json(yield* counted("sure")), { input_tokens: 42 })
      const spared = yield* counted("spared")
      assert.strictEqual(spared.status, 200, spared.text)
    })
  )

  it.effect("is refused where nobody else can be asked, or the request is refused for what it is", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* counted("overloaded/m")).status, 529)
      const wrong = yield* counted("wrong")
      assert.strictEqual(wrong.status, 400)
      assert.include(wrong.text, "No such tool.")
    })
  )
})

layer(server, { excludeTestServices: true })("a call in the Chat Completions API", (it) => {
  it.effect("gets through to a vendor that would refuse how it is put", () =>
    Effect.gen(function* () {
      const seen = yield* ask("/v1/chat/completions", {
        body: {
          model: "mistral/m",
          max_completion_tokens: 5,
          seed: 1,
          user: "u",
          messages: [
            { role: "developer", content: "Be brief." },
            { ...asked, name: "ann" }
          ]
        }
      })
      assert.strictEqual(seen.status, 200, seen.text)
      assert.include(seen.headers["x-millrace-dropped"], "user")
    })
  )

  it.effect.each(["grok-4", "grok-4.3"])(
    "gets through to a model that is more particular than its vendor: %s",
    (name) =>
      Effect.gen(function* () {
        const seen = yield* ask("/v1/chat/completions", {
          body: { model: `xai/${name}`, messages: [asked], reasoning_effort: "low", stop: "X", presence_penalty: 0 }
        })
        assert.strictEqual(seen.status, 200, seen.text)
        assert.include(seen.headers["x-millrace-dropped"], "stop")
      })
  )

  it.effect("gets whole what a vendor gives in a stream alone", () =>
    Effect.gen(function* () {
      const told = (limit: number, more: Fields = {}) =>
        ask("/v1/chat/completions", {
          body: { model: "fireworks/m", max_tokens: limit, messages: [asked], ...more }
        })
      const contents: Array<string> = []
      for (const seen of [yield* told(4096), yield* told(8192), yield* told(8192, { stream: false })]) {
        assert.strictEqual(seen.status, 200, seen.text)
        contents.push(json(seen).choices[0].message.content)
      }
      assert.deepStrictEqual(contents, ["Short.", "Long.", "Long."])
      const elsewhere = yield* messages({ model: "fireworks/m", max_tokens: 8192, messages: [asked] })
      assert.strictEqual(json(elsewhere).content[0].text, "Long.")
    })
  )

  it.effect("that offers tools is not given to a vendor that knows none", () =>
    Effect.gen(function* () {
      const offered = [{ type: "function", function: { name: "look_up" } }]
      const seen = yield* ask("/v1/chat/completions", {
        body: { model: "perplexity/sonar", messages: [asked], tools: offered }
      })
      assert.strictEqual(seen.status, 400)
      assert.include(seen.text, "tools")
      const plain = yield* ask("/v1/chat/completions", { body: { model: "perplexity/sonar", messages: [asked] } })
      assert.strictEqual(plain.status, 200, plain.text)
    })
  )
})
