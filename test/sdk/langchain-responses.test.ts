import { assert } from "@effect/vitest"
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
import { APIError } from "openai"
import { z } from "zod"
import { everywhere, knows, proofsIn, type AtFormat } from "./formats.ts"
import { collect, rejection, wordsOf } from "./scenario.ts"

const modelOf = ({ fetch, url }: AtFormat, model: string, maxTokens?: number) =>
  new ChatOpenAI({
    model,
    apiKey: "unused",
    configuration: { baseURL: `${url}/v1`, fetch },
    useResponsesApi: true,
    // Nothing is stored: what was thought comes along, encrypted.
    zdrEnabled: true,
    maxRetries: 0,
    ...(maxTokens === undefined ? {} : { maxTokens })
  })

/** The input and output tokens that a message tells. */
const told = (usage: UsageMetadata | undefined) => [usage?.input_tokens, usage?.output_tokens]

const hello = [new SystemMessage("Be brief."), new HumanMessage("Say it back, please.")]

const weather = tool(() => "rain", {
  name: "weather",
  description: "The weather",
  schema: z.object({ town: z.string() })
})
const clock = tool(() => "noon", { name: "clock", description: "The time", schema: z.object({ zone: z.string() }) })

/** The chunks of a stream as the message that they are. */
const gathered = (chunks: ReadonlyArray<AIMessageChunk>): AIMessageChunk =>
  chunks.reduce((all, chunk) => all.concat(chunk))

everywhere("LangChain's ChatOpenAI with the Responses API", {}, (scenario, where) => {
  for (const streamed of [false, true]) {
    scenario(`an answer, streamed: ${streamed}`, async (at) => {
      const model = modelOf(at, at.model("words-12?think=5&pace=0"))
      const message = streamed ? gathered(await collect(await model.stream(hello))) : await model.invoke(hello)
      assert.strictEqual(message.text, wordsOf(12))
      const { usage, outcome } = await at.record()
      assert.deepInclude(outcome, { kind: "Completed", finish: "stop" })
      assert.deepStrictEqual(told(message.usage_metadata), [usage?.inputTokens, usage?.outputTokens])
    })

    where("tools")(`a loop of tools gives back what was thought, streamed: ${streamed}`, async (at) => {
      const model = modelOf(at, at.model("tools-2?think=3")).bindTools([weather, clock])
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
      assert.strictEqual((await ask(messages)).text, "weather said: rain\nclock said: noon")
      if (!knows(at, "proofs")) return
      const proof = await proofsIn(at)
      assert.isNotEmpty(proof)
      assert.include(JSON.stringify(at.received().at(-1)?.body), proof)
    })
  }

  where("schemas")("structured output", async (at) => {
    const Trip = z.object({ town: z.string(), nights: z.number() })
    const model = modelOf(at, at.model("json")).withStructuredOutput(Trip, { name: "trip", method: "jsonSchema" })
    assert.hasAllKeys(await model.invoke(hello), ["town", "nights"])
  })

  scenario("a limit of tokens", async (at) => {
    assert.strictEqual((await modelOf(at, at.model("words-30"), 7).invoke(hello)).text, wordsOf(7))
  })

  scenario("a provider's refusal has its status and message", async (at) => {
    for (const status of [400, 401, 429, 500]) {
      const model = modelOf(at, at.model(`echo?status=${status}&message=No%20way`))
      for (const error of [await rejection(model.invoke(hello)), await rejection(model.stream(hello))]) {
        assert.instanceOf(error, APIError)
        assert.strictEqual(error.status, status)
        assert.include(error.message, "No way")
      }
    }
  })

  scenario("a stream that breaks is an error, whatever broke it", async (at) => {
    for (const fault of ["error=3&message=gone", "reset=3", "truncate=3", "malformed=3"]) {
      const model = modelOf(at, at.model(`words-20?pace=0&${fault}`))
      let said = ""
      const error = await rejection(
        (async () => {
          for await (const chunk of await model.stream(hello)) said += chunk.text
        })()
      )
      assert.instanceOf(error, Error, fault)
      assert.strictEqual(said, wordsOf(3))
      assert.strictEqual((await at.record()).outcome?.kind, "Failed")
    }
  })

  scenario("to leave a stream aborts the provider's", async (at) => {
    const controller = new AbortController()
    let said = ""
    await rejection(
      (async () => {
        const stream = await modelOf(at, at.model("words-500")).stream(hello, { signal: controller.signal })
        for await (const chunk of stream) {
          said += chunk.text
          if (said.split(" ").length > 3) controller.abort()
        }
      })()
    )
    assert.strictEqual(await at.ending(), "aborted")
    assert.deepInclude((await at.record()).outcome, { kind: "Cancelled", by: "client" })
  })
})
