import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { ask, askChat, askMessages, json, startSimulator, waitUntil, type Seen } from "./server.ts"

/** The JSON of every frame of a stream; the terminator of chat is left out. */
const dataOf = (seen: Seen): ReadonlyArray<ReturnType<typeof json>> =>
  seen.text
    .split("\n")
    .filter((line) => line.startsWith("data: ") && line !== "data: [DONE]")
    .map((line) => JSON.parse(line.slice(6)))

const chatText = (seen: Seen) =>
  dataOf(seen)
    .map((chunk) => chunk.choices?.[0]?.delta?.content ?? "")
    .join("")

const messagesText = (seen: Seen) =>
  dataOf(seen)
    .map((event) => event.delta?.text ?? "")
    .join("")

describe("the stand-alone simulator", () => {
  it.live("speaks both APIs, streamed and whole, with the same answer in each", () =>
    Effect.gen(function* () {
      const { url } = yield* startSimulator()
      const model = "words-12?pace=0"
      const chat = yield* askChat(url, model)
      const messages = yield* askMessages(url, model)
      const chatWhole = yield* askChat(url, model, { stream: false })
      const messagesWhole = yield* askMessages(url, model, { stream: false })
      const text = chatText(chat)
      assert.strictEqual(text.split(" ").length, 12)
      assert.strictEqual(messagesText(messages), text)
      assert.strictEqual(json(chatWhole).choices[0].message.content, text)
      assert.strictEqual(json(messagesWhole).content[0].text, text)
      assert.isTrue(chat.text.endsWith("data: [DONE]\n\n"))
      assert.strictEqual(dataOf(messages).at(-1)?.type, "message_stop")
      assert.match(chat.headers["content-type"] ?? "", /^text\/event-stream/)
      assert.match(chatWhole.headers["content-type"] ?? "", /^application\/json/)
      assert.strictEqual(json(chatWhole).usage.completion_tokens, 12)
      assert.strictEqual(json(messagesWhole).usage.output_tokens, 12)
      const counted = yield* askChat(url, model, { stream_options: { include_usage: true } })
      assert.strictEqual(dataOf(counted).at(-1)?.usage.completion_tokens, 12)
      assert.notProperty(dataOf(chat).at(-1), "usage")
    })
  )

  it.live("renders every kind of answer in both APIs", () =>
    Effect.gen(function* () {
      const { url } = yield* startSimulator()
      for (const model of ["echo", "think-5?pace=0", "fast-200", "length-3", "refuse", "empty", "json"]) {
        for (const stream of [true, false]) {
          const chat = yield* askChat(url, model, { stream })
          const messages = yield* askMessages(url, model, { stream })
          assert.deepStrictEqual([chat.status, messages.status], [200, 200], model)
          assert.deepStrictEqual([chat.ending, messages.ending], ["end", "end"], model)
        }
      }
      const thought = json(yield* askMessages(url, "think-5", { stream: false })).content
      assert.deepStrictEqual(
        thought.map((block: { type: string }) => block.type),
        ["thinking", "text"]
      )
      // A provider signs in its own name: nothing is sealed that came from elsewhere.
      assert.match(Buffer.from(thought[0].signature, "base64").toString(), /^simulated reasoning /)
      const cut = json(yield* askMessages(url, "words-40", { stream: false, max_tokens: 4 }))
      assert.deepStrictEqual([cut.stop_reason, cut.usage.output_tokens], ["max_tokens", 4])
      const stopped = json(yield* askMessages(url, "echo", { stream: false, stop_sequences: ["please"] }))
      assert.deepStrictEqual([stopped.content[0].text, stopped.stop_sequence], ["Say it back, ", "please"])
      const three = json(yield* askChat(url, "words-4", { stream: false, n: 3, logprobs: true, top_logprobs: 2 }))
      assert.strictEqual(three.choices.length, 3)
      assert.strictEqual(three.choices[0].logprobs.content.length, 4)
    })
  )

  it.live("calls tools, and ends when it was given their results", () =>
    Effect.gen(function* () {
      const { url } = yield* startSimulator()
      const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
      const tools = ["get_weather", "get_time"].map((name) => ({
        type: "function",
        function: { name, parameters: schema }
      }))
      const user = { role: "user", content: "How is it?" }
      const first = json(yield* askChat(url, "tools", { stream: false, tools, messages: [user] })).choices[0]
      assert.strictEqual(first.finish_reason, "tool_calls")
      const calls: ReadonlyArray<{ id: string; function: { name: string; arguments: string } }> =
        first.message.tool_calls
      assert.deepStrictEqual(
        calls.map((call) => call.function.name),
        ["get_weather", "get_time"]
      )
      for (const call of calls) assert.isString(JSON.parse(call.function.arguments).city)
      const results = calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: "mild" }))
      const messages = [user, first.message, ...results]
      const second = json(yield* askChat(url, "tools", { stream: false, tools, messages })).choices[0]
      assert.strictEqual(second.finish_reason, "stop")
      assert.strictEqual(second.message.content, "get_weather said: mild\nget_time said: mild")
    })
  )

  it.live("breaks rendered streams where it is told to, in each API", () =>
    Effect.gen(function* () {
      const { url } = yield* startSimulator()
      const ended = { chat: "[DONE]", messages: "message_stop" }
      for (const [fault, ending] of [
        ["truncate=3", "end"],
        ["reset=3", "broken"],
        ["error=3", "end"]
      ] as const) {
        const chat = yield* askChat(url, `words-9?pace=0&${fault}`)
        assert.deepStrictEqual([chatText(chat).split(" ").length, chat.ending], [3, ending], fault)
        assert.notInclude(chat.text, ended.chat)
        const messages = yield* askMessages(url, `words-9?pace=0&${fault}`)
        assert.deepStrictEqual([messagesText(messages).split(" ").length, messages.ending], [3, ending], fault)
        assert.notInclude(messages.text, ended.messages)
      }
      const failed = yield* askMessages(url, "words-9?pace=0&error=3&status=529")
      assert.strictEqual(dataOf(failed).at(-1)?.error.type, "overloaded_error")
      const malformed = yield* askChat(url, "words-9?pace=0&malformed=3")
      assert.throws(() => dataOf(malformed), SyntaxError)
      assert.include(malformed.text, ended.chat)
      const nothing = yield* askChat(url, "words-9?truncate")
      assert.deepStrictEqual([nothing.status, nothing.text], [200, ""])
    })
  )

  it.live("keeps what it received, without credentials, and counts how it ended", () =>
    Effect.gen(function* () {
      const { log, url } = yield* startSimulator()
      const headers = { authorization: "Bearer sk-secret", "x-api-key": "sk-secret", "x-mark": "kept" }
      yield* askChat(url, "echo", { future_field: [1] }, { headers })
      yield* ask(`${url}/v1/messages`, { body: "{nope" })
      const { data } = json(yield* ask(`${url}/_simulate/requests`))
      assert.strictEqual(data.length, 2)
      assert.deepInclude(data[0], {
        method: "POST",
        path: "/v1/chat/completions",
        model: "echo",
        state: "completed",
        status: 200
      })
      assert.deepStrictEqual(data[0].body.future_field, [1])
      assert.deepInclude(data[0].headers, { authorization: "***", "x-api-key": "***", "x-mark": "kept" })
      assert.notInclude(JSON.stringify(data), "sk-secret")
      assert.deepInclude(data[1], { body: "{nope", status: 400 })
      for (let index = 0; index < 105; index++) yield* ask(`${url}/v1/messages`, { body: {} })
      assert.strictEqual(log.requests().length, 100)
      assert.strictEqual(log.stats().requests.total, 107)
      yield* ask(`${url}/_simulate/requests`, { method: "DELETE" })
      const stats = json(yield* ask(`${url}/_simulate/stats`))
      assert.deepStrictEqual(stats.requests, { total: 0, open: 0, completed: 0, reset: 0, aborted: 0 })
      assert.isAbove(stats.connections.total, 0)
    })
  )

  it.live("sees in each phase that its caller has left", () =>
    Effect.gen(function* () {
      const { log, url } = yield* startSimulator()
      const phases: ReadonlyArray<readonly [string, RegExp]> = [
        ["echo?first=1m", /^/],
        ["words-900?pace=1s", /content":"\w/],
        ["words-9?pace=0&stall=2", /content":" \w/]
      ]
      for (const [index, [model, begun]] of phases.entries()) {
        yield* askChat(url, model, {}, { enough: (text) => begun.test(text) })
        yield* waitUntil(() => log.stats().requests.aborted === index + 1)
        assert.strictEqual(log.requests()[index]?.state, "aborted")
      }
      yield* waitUntil(() => log.connections.open === 0)
    })
  )

  it.live("stops at once, whatever is still open", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { log, url } = yield* Scope.provide(startSimulator(), scope)
      const hanging = yield* Effect.forkChild(Effect.exit(askMessages(url, "echo?hang")))
      const stalled = yield* Effect.forkChild(Effect.exit(askMessages(url, "words-9?pace=0&stall=2")))
      yield* waitUntil(() => log.requests().filter((entry) => entry.model !== undefined).length === 2)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(hanging)
      yield* Fiber.join(stalled)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(ask(`${url}/healthz`))))
    })
  )

  it.live("lists its models in the shape of the asking SDK, and counts tokens", () =>
    Effect.gen(function* () {
      const { url } = yield* startSimulator()
      const chat = json(yield* ask(`${url}/v1/models`))
      assert.strictEqual(chat.object, "list")
      assert.include(
        chat.data.map((model: { id: string }) => model.id),
        "words-60"
      )
      const messages = json(yield* ask(`${url}/v1/models`, { headers: { "anthropic-version": "2023-06-01" } }))
      assert.deepInclude(messages.data[0], { type: "model", id: "echo" })
      assert.strictEqual(json(yield* ask(`${url}/v1/models/words-60`)).id, "words-60")
      assert.strictEqual((yield* ask(`${url}/v1/models/nope`)).status, 404)
      const body = { model: "echo", messages: [{ role: "user", content: "one two three" }] }
      assert.deepStrictEqual(json(yield* ask(`${url}/v1/messages/count_tokens`, { body })), { input_tokens: 3 })
    })
  )

  it.live("says what is wrong with a request", () =>
    Effect.gen(function* () {
      const { url } = yield* startSimulator()
      const unknown = yield* askChat(url, "gpt")
      assert.deepStrictEqual([unknown.status, json(unknown).error.code], [404, "model_not_found"])
      const option = yield* askMessages(url, "echo?colour=blue")
      assert.strictEqual(option.status, 400)
      assert.include(json(option).error.message, "colour")
      assert.strictEqual((yield* ask(`${url}/v1/chat/completions`, { body: "[]" })).status, 400)
      assert.strictEqual((yield* ask(`${url}/v1/nope`)).status, 404)
      const method = yield* ask(`${url}/v1/messages`)
      assert.deepStrictEqual([method.status, method.headers["allow"]], [405, "POST"])
      assert.strictEqual((yield* ask(`${url}/healthz`)).status, 200)
      const head = yield* ask(`${url}/healthz`, { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.text], [200, ""])
    })
  )
})
