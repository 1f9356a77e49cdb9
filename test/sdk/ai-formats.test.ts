import { createGoogleGenerativeAI } from "@ai-sdk/google"
import { createOpenAI } from "@ai-sdk/openai"
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
import { everywhere, knows, proofsIn, type AtFormat } from "./formats.ts"
import { collect, pixel, rejection, wordsOf } from "./scenario.ts"

// It warns of every model that it does not know.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

const apiKey = "unused"

/**
 * The providers of the AI SDK for the two other dialects; `returnsProofs`: whether what is signed elsewhere comes back,
 * `resultOf`: how a tool's result reads.
 */
const providers = [
  {
    name: "@ai-sdk/openai, responses",
    returnsProofs: true,
    resultOf: (_: string, result: string) => result,
    modelOf: ({ fetch, url }: AtFormat, model: string): LanguageModel =>
      createOpenAI({ baseURL: `${url}/v1`, apiKey, fetch }).responses(model),
    // Where it may be stored, earlier turns are sent as references to it.
    providerOptions: { openai: { store: false, include: ["reasoning.encrypted_content"], forceReasoning: true } }
  },
  {
    name: "@ai-sdk/google",
    returnsProofs: false,
    resultOf: (name: string, content: string) => JSON.stringify({ name, content }),
    modelOf: ({ fetch, url }: AtFormat, model: string): LanguageModel =>
      // The model is put into the path as it is, where a question mark would end it.
      createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey, fetch })(`models/${model.replaceAll(/[?&]/g, ";")}`),
    providerOptions: {}
  }
]

const prompt = "Say it back, please."

const assertUsage = (usage: LanguageModelUsage, { usage: recorded }: CallRecord) =>
  assert.deepStrictEqual(
    [usage.inputTokens, usage.outputTokens, "provider"],
    [recorded?.inputTokens, recorded?.outputTokens, recorded?.source]
  )

/** What the loop of tools is made of. */
const tools = {
  weather: tool({
    description: "The weather of a town",
    inputSchema: z.object({ town: z.string() }),
    execute: () => "rain"
  }),
  clock: tool({ description: "The time", inputSchema: z.object({ zone: z.string() }), execute: () => "noon" })
}

const quiet = { onError: () => undefined }

for (const { modelOf, name, providerOptions, resultOf, returnsProofs } of providers) {
  everywhere(`ai with ${name}`, {}, (scenario, where) => {
    scenario("generateText", async (at) => {
      const model = modelOf(at, at.model("words-12?think=5"))
      const answer = await generateText({ model, instructions: "Be brief.", prompt, providerOptions })
      assert.strictEqual(answer.text, wordsOf(12))
      assert.strictEqual(answer.finishReason, "stop")
      assert.strictEqual(answer.reasoningText ?? "", knows(at, "thoughts") ? wordsOf(5) : "")
      const record = await at.record()
      assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
      assertUsage(answer.usage, record)
    })

    scenario("streamText, byte by byte", async (at) => {
      const model = modelOf(at, at.model("think-6?pace=0&one-byte"))
      const stream = streamText({ model, prompt, providerOptions })
      assert.strictEqual((await collect(stream.textStream)).join(""), wordsOf(20, 2))
      assert.strictEqual(await stream.finishReason, "stop")
      assert.strictEqual((await stream.reasoningText) ?? "", knows(at, "thoughts") ? wordsOf(6) : "")
      assertUsage(await stream.usage, await at.record())
    })

    for (const streamed of [false, true]) {
      where("tools")(`a loop of tools, streamed: ${streamed}`, async (at) => {
        const model = modelOf(at, at.model("tools-2?think=3"))
        const params = { model, prompt, tools, providerOptions, stopWhen: stepCountIs(4) }
        const { steps, text } = streamed ? streamText(params) : await generateText(params)
        const told = `weather said: ${resultOf("weather", "rain")}\nclock said: ${resultOf("clock", "noon")}`
        assert.strictEqual(await text, told)
        assert.deepStrictEqual(
          (await steps).map(({ finishReason, toolCalls }) => [finishReason, toolCalls.length]),
          [
            ["tool-calls", 2],
            ["stop", 0]
          ]
        )
        if (!knows(at, "proofs") || (!returnsProofs && at.upstream !== "gemini")) return
        const proof = await proofsIn(at)
        assert.isNotEmpty(proof)
        assert.include(JSON.stringify(at.received().at(-1)?.body), proof)
      })
    }

    where("schemas")("structured output", async (at) => {
      const schema = z.object({ town: z.string(), nights: z.number(), guests: z.array(z.string()) })
      const params = {
        model: modelOf(at, at.model("json")),
        prompt,
        providerOptions,
        output: Output.object({ schema })
      }
      const { output, text } = await generateText(params)
      assert.deepStrictEqual(output, schema.parse(JSON.parse(text)))
      assert.deepStrictEqual((await collect(streamText(params).partialOutputStream)).at(-1), output)
    })

    scenario("a limit of tokens", async (at) => {
      const params = { model: modelOf(at, at.model("words-30")), prompt, providerOptions, maxOutputTokens: 7 }
      const { finishReason, text } = await generateText(params)
      assert.deepStrictEqual([text, finishReason], [wordsOf(7), "length"])
    })

    where("images")("pictures go to the provider", async (at) => {
      const content = [
        { type: "text" as const, text: "What is this?" },
        { type: "image" as const, image: pixel }
      ]
      const model = modelOf(at, at.model("echo"))
      const seen = await generateText({ model, messages: [{ role: "user", content }], providerOptions })
      assert.strictEqual(seen.text, "What is this?(image)")
      assert.include(JSON.stringify(at.received().at(-1)?.body), pixel.slice(pixel.indexOf(",") + 1))
    })

    scenario("a refusal by the provider is an error with its status", async (at) => {
      for (const status of [400, 401, 429, 500]) {
        const model = modelOf(at, at.model(`echo?status=${status}&message=No%20way&retry-after=3`))
        const error = await rejection(generateText({ model, prompt, providerOptions, maxRetries: 0 }))
        assert.isTrue(APICallError.isInstance(error), String(error))
        if (!APICallError.isInstance(error)) continue
        assert.strictEqual(error.statusCode, status)
        assert.include(error.message, "No way")
        assert.strictEqual(error.isRetryable, status === 429 || status >= 500)
        assert.strictEqual(error.responseHeaders?.["retry-after"], "3")
      }
    })

    scenario("a stream that breaks is an error, whatever broke it", async (at) => {
      const faults = [
        ["error=3&message=gone", "UpstreamServer"],
        ["reset=3", "Transport"],
        ["truncate=3", "IncompleteStream"],
        ["malformed=3", "InvalidOutput"]
      ] as const
      for (const [fault, reason] of faults) {
        const model = modelOf(at, at.model(`words-20?pace=0&${fault}`))
        const parts = await collect(streamText({ model, prompt, providerOptions, maxRetries: 0, ...quiet }).stream)
        assert.strictEqual(parts.map((part) => (part.type === "text-delta" ? part.text : "")).join(""), wordsOf(3))
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
      const stream = streamText({ model, prompt, providerOptions, abortSignal: controller.signal, ...quiet })
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
  })
}
