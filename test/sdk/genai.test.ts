import { assert } from "@effect/vitest"
import {
  ApiError,
  type Candidate,
  FunctionCallingConfigMode,
  type GenerateContentResponse,
  GoogleGenAI,
  type Part,
  Type
} from "@google/genai"
import type { CallRecord } from "../../src/audit/CallRecord.ts"
import { everywhere, knows, type AtFormat } from "./formats.ts"
import { collect, pixel, rejection, wordsOf } from "./scenario.ts"

const clientOf = ({ url }: AtFormat) => new GoogleGenAI({ apiKey: "unused", httpOptions: { baseUrl: url } })

/** The model is put into the path as it is, where a question mark would end it. */
const modelAt = (at: AtFormat, name: string): string => at.model(name.replaceAll(/[?&]/g, ";"))

const contents = "Say it back, please."
const declarationOf = (name: string, field: string) => ({
  name,
  description: `Tells the ${name}`,
  parameters: { type: Type.OBJECT, properties: { [field]: { type: Type.STRING } }, required: [field] }
})
const tools = [{ functionDeclarations: [declarationOf("weather", "town"), declarationOf("clock", "zone")] }]

const partsIn = (candidate: Candidate | undefined): ReadonlyArray<Part> => candidate?.content?.parts ?? []
const thoughtIn = (parts: ReadonlyArray<Part>): string =>
  parts.map((part) => (part.thought === true ? (part.text ?? "") : "")).join("")

/** What the last answer says was used, and what its record does. */
const usages = ({ usageMetadata: usage }: GenerateContentResponse, { usage: recorded }: CallRecord) => ({
  told: [usage?.promptTokenCount, (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0)],
  recorded: [recorded?.inputTokens, recorded?.outputTokens]
})

const models = { smart: { targets: [{ provider: "gemini", model: "echo" }] } }

everywhere("@google/genai", { models }, (scenario, where) => {
  scenario("models.generateContent", async (at) => {
    const response = await clientOf(at).models.generateContent({
      model: modelAt(at, "words-12?think=5"),
      contents,
      config: { systemInstruction: "Be brief." }
    })
    assert.strictEqual(response.text, wordsOf(12))
    const [candidate] = response.candidates ?? []
    assert.strictEqual(candidate?.finishReason, "STOP")
    assert.strictEqual(thoughtIn(partsIn(candidate)), knows(at, "thoughts") ? wordsOf(5) : "")
    const record = await at.unanswered()
    assert.deepInclude(record.outcome, { kind: "Completed", finish: "stop", delivered: true })
    assert.strictEqual(record.usage?.outputTokens, 17)
    const { told, recorded } = usages(response, record)
    assert.deepStrictEqual(told, recorded)
  })

  scenario("models.generateContentStream, byte by byte", async (at) => {
    const model = modelAt(at, "think-6?pace=0&one-byte")
    const chunks = await collect(await clientOf(at).models.generateContentStream({ model, contents }))
    const parts = chunks.flatMap(({ candidates }) => partsIn(candidates?.[0]))
    const said = parts.map((part) => (part.thought === true ? "" : (part.text ?? ""))).join("")
    assert.strictEqual(said, wordsOf(20, 2))
    assert.strictEqual(thoughtIn(parts), knows(at, "thoughts") ? wordsOf(6) : "")
    assert.deepStrictEqual(
      chunks.flatMap(({ candidates }) => candidates?.[0]?.finishReason ?? []),
      ["STOP"]
    )
    const { told, recorded } = usages(chunks.at(-1)!, await at.unanswered())
    assert.deepStrictEqual(told, recorded)
  })

  for (const stream of [false, true]) {
    where("tools")(`a chat with tools, stream: ${stream}`, async (at) => {
      const chat = clientOf(at).chats.create({ model: modelAt(at, "tools-2?think=4"), config: { tools } })
      const ask = async (message: string | Array<Part>): Promise<ReadonlyArray<GenerateContentResponse>> =>
        stream ? collect(await chat.sendMessageStream({ message })) : [await chat.sendMessage({ message })]
      const asked = await ask(contents)
      assert.strictEqual(thoughtIn(asked.flatMap(({ candidates }) => partsIn(candidates?.[0]))), wordsOf(4))
      const calls = asked.flatMap(({ functionCalls }) => functionCalls ?? [])
      assert.deepStrictEqual(
        calls.map(({ name, args }) => [name, Object.keys(args ?? {})]),
        [
          ["weather", ["town"]],
          ["clock", ["zone"]]
        ]
      )
      const told = await ask(
        calls.map(({ id, name }) => ({
          functionResponse: { id: id!, name: name!, response: { output: name === "weather" ? "rain" : "noon" } }
        }))
      )
      assert.strictEqual(told.map(({ text }) => text ?? "").join(""), "weather said: rain\nclock said: noon")
      if (at.upstream !== "gemini") return
      // Its history has the proof of what was thought, and sends it back as it came.
      const proof = chat.getHistory().flatMap(({ parts = [] }) => parts.flatMap((part) => part.thoughtSignature ?? []))
      assert.isNotEmpty(proof)
      assert.include(JSON.stringify(at.received().at(-1)?.body), proof[0] ?? "-")
    })
  }

  where("tools")("a forced tool", async (at) => {
    const { functionCalls } = await clientOf(at).models.generateContent({
      model: modelAt(at, "tools"),
      contents,
      config: {
        tools,
        toolConfig: {
          functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ["clock"] }
        }
      }
    })
    assert.deepStrictEqual(
      functionCalls?.map(({ name }) => name),
      ["clock"]
    )
  })

  where("schemas")("structured output", async (at) => {
    const { text = "" } = await clientOf(at).models.generateContent({
      model: modelAt(at, "json"),
      contents,
      config: {
        responseMimeType: "application/json",
        responseJsonSchema: {
          type: "object",
          properties: { town: { type: "string" }, nights: { type: "integer" } },
          required: ["town", "nights"],
          additionalProperties: false
        }
      }
    })
    assert.hasAllKeys(JSON.parse(text), ["town", "nights"])
  })

  scenario("a limit of tokens, and a stop sequence", async (at) => {
    const { models } = clientOf(at)
    const model = modelAt(at, "words-30")
    const cut = await models.generateContent({ model, contents, config: { maxOutputTokens: 7 } })
    assert.deepStrictEqual([cut.text, cut.candidates?.[0]?.finishReason], [wordsOf(7), "MAX_TOKENS"])
    if (!knows(at, "stops")) return
    const [, , third = ""] = wordsOf(30).split(" ")
    const stopped = await models.generateContent({ model, contents, config: { stopSequences: [` ${third}`] } })
    assert.deepStrictEqual([stopped.text, stopped.candidates?.[0]?.finishReason], [wordsOf(2), "STOP"])
  })

  where("images")("pictures go to the provider", async (at) => {
    const data = pixel.slice(pixel.indexOf(",") + 1)
    const { text } = await clientOf(at).models.generateContent({
      model: modelAt(at, "echo"),
      contents: [{ role: "user", parts: [{ text: "What is this?" }, { inlineData: { mimeType: "image/png", data } }] }]
    })
    assert.strictEqual(text, "What is this?(image)")
    assert.include(JSON.stringify(at.received().at(-1)?.body), data)
  })

  scenario("models.countTokens, and the list of models", async (at) => {
    const { models } = clientOf(at)
    const { totalTokens = 0 } = await models.countTokens({ model: modelAt(at, "echo"), contents })
    assert.isAbove(totalTokens, 3)
    const listed = await collect(await models.list())
    assert.include(
      listed.map(({ name }) => name),
      "models/smart"
    )
    assert.deepInclude(await models.get({ model: "smart" }), { name: "models/smart" })
  })
})

everywhere("@google/genai: failures", {}, (scenario) => {
  const refusals = { 400: "InvalidRequest", 401: "Unauthorized", 404: "UnknownModel", 429: "RateLimited" }
  const troubles = { 500: "UpstreamServer", 503: "Overloaded" }

  scenario("a provider's refusal has its status and message", async (at) => {
    for (const [status, reason] of Object.entries({ ...refusals, ...troubles })) {
      // Which model is not there is told in the message alone.
      const said = status === "404" ? "model:%20models%2Fx%20is%20not%20found" : "No%20way"
      const model = modelAt(at, `echo?status=${status}&message=${encodeURIComponent(said)}`)
      const { models } = clientOf(at)
      for (const call of [models.generateContent, models.generateContentStream]) {
        const error = await rejection(call({ model, contents }))
        assert.instanceOf(error, ApiError)
        assert.strictEqual(error.status, Number(status))
        assert.include(error.message, decodeURIComponent(said))
        assert.deepInclude((await at.unanswered()).outcome, { kind: "Failed", reason, status: Number(status) })
      }
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
      const model = modelAt(at, `words-20?pace=0&${fault}`)
      let said = ""
      const error = await rejection(
        (async () => {
          for await (const chunk of await clientOf(at).models.generateContentStream({ model, contents })) {
            said += chunk.text ?? ""
          }
        })()
      )
      assert.instanceOf(error, ApiError, fault)
      assert.strictEqual(said, wordsOf(3))
      assert.deepInclude((await at.unanswered()).outcome, { kind: "Failed", reason })
    }
  })

  scenario("to abort a stream aborts the provider's", async (at) => {
    const controller = new AbortController()
    const config = { abortSignal: controller.signal }
    const model = modelAt(at, "words-500")
    let said = ""
    await rejection(
      (async () => {
        for await (const { text } of await clientOf(at).models.generateContentStream({ model, contents, config })) {
          said += text ?? ""
          if (said.split(" ").length > 3) controller.abort()
        }
      })()
    )
    assert.strictEqual(await at.ending(), "aborted")
    const record = await at.unanswered()
    assert.deepInclude(record.outcome, { kind: "Cancelled", by: "client" })
    assert.isTrue(record.response?.text?.startsWith(said), record.response?.text)
  })
})
