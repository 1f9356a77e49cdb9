import { assert } from "@effect/vitest"
import { ChatAnthropic } from "@langchain/anthropic"
import type { BaseChatModel } from "@langchain/core/language_models/chat_models"
import {
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
  type UsageMetadata
} from "@langchain/core/messages"
import { tool } from "@langchain/core/tools"
import { ChatOpenAI } from "@langchain/openai"
import { z } from "zod"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { collect, pixel, rejection, scenarios, wordsOf, type Scenario } from "./scenario.ts"

interface Settings {
  readonly maxRetries?: number
  readonly maxTokens?: number
  readonly stop?: ReadonlyArray<string>
}

/** The chat models of LangChain that speak an API of the server. */
const chatModels = [
  {
    name: "ChatOpenAI",
    modelOf: ({ fetch, url }: Scenario, model: string, { maxRetries = 0, maxTokens, stop }: Settings = {}) =>
      new ChatOpenAI({
        model,
        apiKey: "unused",
        configuration: { baseURL: `${url}/v1`, fetch },
        streamUsage: true,
        maxRetries,
        ...(maxTokens === undefined ? {} : { maxTokens }),
        ...(stop === undefined ? {} : { stop: [...stop] })
      })
  },
  {
    name: "ChatAnthropic",
    modelOf: ({ fetch, url }: Scenario, model: string, { maxRetries = 0, maxTokens = 500, stop }: Settings = {}) =>
      new ChatAnthropic({
        model,
        apiKey: "unused",
        anthropicApiUrl: url,
        clientOptions: { fetch },
        maxRetries,
        maxTokens,
        ...(stop === undefined ? {} : { stopSequences: [...stop] })
      })
  }
]

const hello = [new SystemMessage("Be brief."), new HumanMessage("Say it back, please.")]

const weather = tool(() => "rain", {
  name: "weather",
  description: "The weather",
  schema: z.object({ town: z.string() })
})
const clock = tool(() => "noon", { name: "clock", description: "The time", schema: z.object({ zone: z.string() }) })

/** The input and output tokens that the message tells, and those of the record. */
const usages = (usage: UsageMetadata | undefined, { usage: recorded }: CallRecord) => ({
  told: [usage?.input_tokens, usage?.output_tokens],
  recorded: [recorded?.inputTokens, recorded?.outputTokens]
})

/** The chunks of a stream as the message that they are. */
const gathered = (chunks: ReadonlyArray<AIMessageChunk>): AIMessageChunk =>
  chunks.reduce((all, chunk) => all.concat(chunk))

for (const { modelOf, name } of chatModels) {
  scenarios(`LangChain's ${name}`, {}, (scenario) => {
    scenario("invoke", async (at) => {
      const message = await modelOf(at, at.model("words-12")).invoke(hello)
      assert.strictEqual(message.text, wordsOf(12))
      const record = await at.record()
      assert.strictEqual(record.response?.text, wordsOf(12))
      assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop" })
      const { told, recorded } = usages(message.usage_metadata, record)
      assert.deepStrictEqual(told, recorded)
    })

    scenario("stream, byte by byte", async (at) => {
      const chunks = await collect(await modelOf(at, at.model("think-6?pace=0&one-byte")).stream(hello))
      assert.isAbove(chunks.length, 20)
      const message = gathered(chunks)
      assert.strictEqual(message.text, wordsOf(20, 2))
      const record = await at.record()
      assert.deepInclude(record.response, { text: wordsOf(20, 2), reasoning: wordsOf(6) })
      const { told, recorded } = usages(message.usage_metadata, record)
      // It reads the input from the first event, and the Chat Completions API tells it in the last.
      const unheard = name === "ChatAnthropic" && at.upstream === "chat"
      assert.deepStrictEqual(told, unheard ? [0, recorded[1]] : recorded)
      const { finish_reason: chat, stop_reason: messages } = {
        ...message.response_metadata,
        ...message.additional_kwargs
      }
      assert.include(["stop", "end_turn"], chat ?? messages)
    })

    for (const streamed of [false, true]) {
      scenario(`a loop of tools, streamed: ${streamed}`, async (at) => {
        const model = modelOf(at, at.model("tools-2")).bindTools([weather, clock])
        const ask = async (messages: Array<BaseMessage>) =>
          streamed ? gathered(await collect(await model.stream(messages))) : model.invoke(messages)
        const messages: Array<BaseMessage> = [...hello]
        const asked = await ask(messages)
        assert.deepStrictEqual(
          asked.tool_calls?.map((call) => [call.name, Object.keys(call.args)]),
          [
            ["weather", ["town"]],
            ["clock", ["zone"]]
          ]
        )
        messages.push(asked)
        for (const call of asked.tool_calls ?? []) {
          const result = call.name === "weather" ? await weather.invoke(call) : await clock.invoke(call)
          assert.instanceOf(result, ToolMessage)
          messages.push(result)
        }
        const told = await ask(messages)
        assert.strictEqual(told.text, "weather said: rain\nclock said: noon")
        assert.deepStrictEqual(
          (await at.records()).map(({ finishReason }) => finishReason),
          ["tool-calls", "stop"]
        )
      })
    }

    scenario("structured output, by a tool call", async (at) => {
      const Trip = z.object({ town: z.string(), nights: z.number(), guests: z.array(z.string()) })
      const model: BaseChatModel = modelOf(at, at.model("tools"))
      const trip = await model.withStructuredOutput(Trip, { name: "trip", method: "functionCalling" }).invoke(hello)
      assert.deepStrictEqual(trip, Trip.parse(trip))
      assert.strictEqual((await at.record()).response?.toolCalls?.[0]?.name, "trip")
    })

    scenario("structured output, by a schema", async (at) => {
      const Trip = z.object({ town: z.string(), nights: z.number(), guests: z.array(z.string()) })
      const model: BaseChatModel = modelOf(at, at.model("json"))
      const trip = await model.withStructuredOutput(Trip, { name: "trip", method: "jsonSchema" }).invoke(hello)
      assert.deepStrictEqual(trip, Trip.parse(trip))
    })

    scenario("limits, stop sequences and pictures", async (at) => {
      const cut = await modelOf(at, at.model("words-30"), { maxTokens: 7 }).invoke(hello)
      assert.strictEqual(cut.text, wordsOf(7))
      const [, , third = ""] = wordsOf(30).split(" ")
      const stopped = await modelOf(at, at.model("words-30"), { stop: [` ${third}`] }).invoke(hello)
      assert.strictEqual(stopped.text, wordsOf(2))
      const content = [
        { type: "text", text: "What is this?" },
        { type: "image_url", image_url: { url: pixel } }
      ]
      const seen = await modelOf(at, at.model("echo")).invoke([new HumanMessage({ content })])
      assert.strictEqual(seen.text, "What is this?(image)")
      assert.deepStrictEqual(
        (await at.records()).map(({ finishReason }) => finishReason),
        ["length", "stop", "stop"]
      )
    })

    scenario("a refusal by the provider is an error with its status", async (at) => {
      for (const status of [400, 401, 429, 500, 529]) {
        const error = await rejection(modelOf(at, at.model(`echo?status=${status}&message=No%20way`)).invoke(hello))
        assert.deepInclude(error, { status })
        assert.include(String(error), "No way")
      }
    })

    scenario("its retries reach a provider that recovers", async (at) => {
      const model = modelOf(at, at.model("echo?status=503&times=1"), { maxRetries: 1 })
      assert.strictEqual((await model.invoke(hello)).text, "Say it back, please.")
      assert.lengthOf(at.received(), 2)
    })

    scenario("a stream that breaks throws, whatever broke it", async (at) => {
      for (const fault of ["error=3&status=529", "reset=3", "truncate=3", "malformed=3"]) {
        let said = ""
        const listen = async () => {
          for await (const chunk of await modelOf(at, at.model(`words-20?pace=1ms&${fault}`)).stream(hello)) {
            said += chunk.text
          }
        }
        assert.instanceOf(await rejection(listen()), Error)
        assert.strictEqual(said, wordsOf(3), fault)
        assert.deepInclude((await at.record()).outcome, { kind: "Failed" })
      }
    })

    scenario("to abort a stream aborts the provider's", async (at) => {
      const controller = new AbortController()
      let said = ""
      const listen = async () => {
        for await (const chunk of await modelOf(at, at.model("words-500")).stream(hello, {
          signal: controller.signal
        })) {
          said += chunk.text
          if (said.split(" ").length > 3) controller.abort()
        }
      }
      await listen().catch(() => undefined)
      assert.isNotEmpty(said)
      assert.strictEqual(await at.ending(), "aborted")
      assert.deepInclude((await at.record()).outcome, { kind: "Cancelled", by: "client" })
    })

    scenario("to abort before the first token aborts the provider's request", async (at) => {
      const controller = new AbortController()
      const answer = rejection(modelOf(at, at.model("echo?hang")).invoke(hello, { signal: controller.signal }))
      await at.until(() => at.received().some(({ state }) => state === "open"))
      controller.abort()
      assert.instanceOf(await answer, Error)
      assert.strictEqual(await at.ending(), "aborted")
      assert.deepInclude((await at.unanswered()).outcome, { kind: "Cancelled", by: "client" })
    })
  })
}
