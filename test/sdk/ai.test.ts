import { createAnthropic } from "@ai-sdk/anthropic"
import { createOpenAI } from "@ai-sdk/openai"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { assert } from "@effect/vitest"
import {
  APICallError,
  generateText,
  type LanguageModel,
  type LanguageModelUsage,
  Output,
  stepCountIs,
  streamText,
  tool
} from "ai"
import { z } from "zod"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { collect, pixel, rejection, scenarios, wordsOf, type Scenario } from "./scenario.ts"

/** So that no target is left alone for what it said to somebody else. */
let nonce = 0

// It warns of every model that it does not know.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

const apiKey = "unused"

/** The providers of the AI SDK that speak an API of the server; what each tells of an answer, and asks objects of. */
const providers = [
  {
    name: "@ai-sdk/openai",
    // The official API shows no reasoning, so this provider looks for none.
    reasons: false,
    objects: "json",
    modelOf: ({ fetch, url }: Scenario, model: string): LanguageModel =>
      createOpenAI({ baseURL: `${url}/v1`, apiKey, fetch }).chat(model)
  },
  {
    name: "@ai-sdk/openai-compatible",
    reasons: true,
    objects: "json",
    modelOf: ({ fetch, url }: Scenario, model: string): LanguageModel =>
      createOpenAICompatible({
        name: "millrace",
        baseURL: `${url}/v1`,
        apiKey,
        fetch,
        includeUsage: true,
        supportsStructuredOutputs: true
      })(model)
  },
  {
    name: "@ai-sdk/anthropic",
    reasons: true,
    // For a model that it does not know, it asks for a tool call with the object.
    objects: "tools",
    modelOf: ({ fetch, url }: Scenario, model: string): LanguageModel =>
      createAnthropic({ baseURL: `${url}/v1`, apiKey, fetch })(model)
  }
]

const prompt = "Say it back, please."

const assertUsage = (usage: LanguageModelUsage, { usage: recorded }: CallRecord) =>
  assert.deepStrictEqual(
    [usage.inputTokens, usage.outputTokens, "provider"],
    [recorded?.inputTokens, recorded?.outputTokens, recorded?.source]
  )

/** What the loop of tools is made of; the arguments that they were called with are kept. */
const toolbox = () => {
  const heard: Array<unknown> = []
  const telling = (result: string) => (input: unknown) => {
    heard.push(input)
    return result
  }
  const tools = {
    weather: tool({
      description: "The weather of a town",
      inputSchema: z.object({ town: z.string() }),
      execute: telling("rain")
    }),
    clock: tool({ description: "The time", inputSchema: z.object({ zone: z.string() }), execute: telling("noon") })
  }
  return { heard, tools }
}

const quiet = { onError: () => undefined }

for (const { modelOf, name, objects, reasons } of providers) {
  scenarios(`ai with ${name}`, {}, (scenario) => {
    scenario("generateText", async (at) => {
      const { finishReason, reasoningText, text, usage } = await generateText({
        model: modelOf(at, at.model("words-12?think=5")),
        instructions: "Be brief.",
        prompt
      })
      assert.strictEqual(text, wordsOf(12))
      assert.strictEqual(finishReason, "stop")
      if (reasons) assert.strictEqual(reasoningText, wordsOf(5))
      const record = await at.record()
      assert.deepInclude(record.response, { text, reasoning: wordsOf(5) })
      assertUsage(usage, record)
    })

    scenario("streamText, byte by byte", async (at) => {
      const model = modelOf(at, at.model("think-6?pace=0&one-byte"))
      const stream = streamText({ model, prompt })
      assert.strictEqual((await collect(stream.textStream)).join(""), wordsOf(20, 2))
      assert.strictEqual(await stream.finishReason, "stop")
      if (reasons) assert.strictEqual(await stream.reasoningText, wordsOf(6))
      const record = await at.record()
      assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
      assertUsage(await stream.usage, record)
    })

    scenario("a loop of tools, in parallel", async (at) => {
      const { heard, tools } = toolbox()
      const model = modelOf(at, at.model("tools-2?think=3"))
      const { steps, text, totalUsage } = await generateText({ model, prompt, tools, stopWhen: stepCountIs(4) })
      assert.strictEqual(text, "weather said: rain\nclock said: noon")
      assert.deepStrictEqual(
        steps.map(({ finishReason, toolCalls }) => [finishReason, toolCalls.length]),
        [
          ["tool-calls", 2],
          ["stop", 0]
        ]
      )
      assert.lengthOf(heard, 2)
      const records = await at.records()
      const output = records.reduce((sum, { usage }) => sum + (usage?.outputTokens ?? 0), 0)
      assert.strictEqual(totalUsage.outputTokens, output)
    })

    scenario("a loop of tools that streams", async (at) => {
      const { heard, tools } = toolbox()
      const model = modelOf(at, at.model("tools-2?think=3"))
      const stream = streamText({ model, prompt, tools, stopWhen: stepCountIs(4) })
      const parts = await collect(stream.stream)
      const calls = parts.filter(({ type }) => type === "tool-call")
      assert.lengthOf(calls, 2)
      assert.strictEqual(await stream.text, "weather said: rain\nclock said: noon")
      assert.lengthOf(heard, 2)
      assert.lengthOf(await at.records(), 2)
      // What was thought goes back with its proof where the SDK keeps it.
      if (name !== "@ai-sdk/anthropic") return
      const [first] = await at.records()
      const thought = first?.response?.answer?.choices[0]?.parts.find((part) => part._tag === "Reasoning")
      assert.include(JSON.stringify(at.received().at(-1)?.body), thought?.signature ?? "-")
    })

    scenario("structured output", async (at) => {
      const schema = z.object({ town: z.string(), nights: z.number(), guests: z.array(z.string()) })
      const model = modelOf(at, at.model(objects))
      const { output, text } = await generateText({ model, prompt, output: Output.object({ schema }) })
      assert.deepStrictEqual(output, schema.parse(JSON.parse(text)))
      const stream = streamText({ model, prompt, output: Output.object({ schema }) })
      assert.deepStrictEqual((await collect(stream.partialOutputStream)).at(-1), output)
    })

    scenario("limits, stop sequences and pictures", async (at) => {
      const model = modelOf(at, at.model("words-30"))
      const cut = await generateText({ model, prompt, maxOutputTokens: 7 })
      assert.deepStrictEqual([cut.text, cut.finishReason], [wordsOf(7), "length"])
      const [, , third = ""] = wordsOf(30).split(" ")
      const stopped = await generateText({ model, prompt, stopSequences: [` ${third}`] })
      assert.deepStrictEqual([stopped.text, stopped.finishReason], [wordsOf(2), "stop"])
      const content = [
        { type: "text" as const, text: "What is this?" },
        { type: "image" as const, image: pixel }
      ]
      const seen = await generateText({ model: modelOf(at, at.model("echo")), messages: [{ role: "user", content }] })
      assert.strictEqual(seen.text, "What is this?(image)")
      assert.include(JSON.stringify(at.received().at(-1)?.body), pixel.slice(pixel.indexOf(",") + 1))
    })

    scenario("a refusal by the provider is an error with its status", async (at) => {
      for (const status of [400, 401, 429, 500, 529]) {
        const model = modelOf(at, at.model(`echo?status=${status}&message=No%20way&retry-after=3&seed=${nonce++}`))
        const error = await rejection(generateText({ model, prompt, maxRetries: 0 }))
        assert.isTrue(APICallError.isInstance(error), String(error))
        if (!APICallError.isInstance(error)) continue
        assert.strictEqual(error.statusCode, status)
        assert.include(error.message, "No way")
        assert.strictEqual(error.isRetryable, status === 429 || status >= 500)
        assert.strictEqual(error.responseHeaders?.["retry-after"], "3")
      }
    })

    scenario("the SDK's retries reach a provider that recovers", async (at) => {
      const model = modelOf(at, at.model("echo?status=429&retry-after=10ms&times=1"))
      assert.strictEqual((await generateText({ model, prompt, maxRetries: 1 })).text, prompt)
      assert.lengthOf(at.received(), 2)
    })

    scenario("a stream that breaks is an error, whatever broke it", async (at) => {
      const faults = [
        ["error=3&status=529", "Overloaded"],
        ["reset=3", "Transport"],
        ["truncate=3", "IncompleteStream"],
        ["malformed=3", "InvalidOutput"]
      ] as const
      for (const [fault, reason] of faults) {
        const model = modelOf(at, at.model(`words-20?pace=1ms&${fault}`))
        const stream = streamText({ model, prompt, maxRetries: 0, ...quiet })
        const parts = await collect(stream.stream)
        const said = parts.map((part) => (part.type === "text-delta" ? part.text : "")).join("")
        assert.strictEqual(said, wordsOf(3))
        assert.include(
          parts.map(({ type }) => type),
          "error",
          fault
        )
        assert.notInclude(
          parts.map((part) => (part.type === "finish" ? part.finishReason : "")),
          "stop"
        )
        assert.deepInclude((await at.record()).outcome, { kind: "Failed", reason })
      }
    })

    scenario("to abort a stream aborts the provider's", async (at) => {
      const controller = new AbortController()
      const model = modelOf(at, at.model("words-500"))
      const stream = streamText({ model, prompt, abortSignal: controller.signal, ...quiet })
      let said = ""
      for await (const part of stream.stream) {
        if (part.type === "text-delta") said += part.text
        if (said.split(" ").length > 3) controller.abort()
      }
      assert.strictEqual(await at.ending(), "aborted")
      const record = await at.record()
      assert.deepInclude(record.outcome, { kind: "Cancelled", by: "client" })
      assert.isTrue(record.response?.text?.startsWith(said), record.response?.text)
    })

    scenario("to abort before the first token aborts the provider's request", async (at) => {
      const controller = new AbortController()
      const model = modelOf(at, at.model("echo?hang"))
      const answer = rejection(generateText({ model, prompt, abortSignal: controller.signal }))
      await at.until(() => at.received().some(({ state }) => state === "open"))
      controller.abort()
      assert.deepInclude(await answer, { name: "AbortError" })
      assert.strictEqual(await at.ending(), "aborted")
      assert.deepInclude((await at.unanswered()).outcome, { kind: "Cancelled", by: "client" })
    })
  })
}
