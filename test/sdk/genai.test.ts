import { assert } from "@effect/vitest"
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from "@google/genai"
import { everywhere, type AtFormat } from "./formats.ts"
import { collect, rejection, wordsOf } from "./scenario.ts"

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

const models = { smart: { targets: [{ provider: "gemini", model: "echo" }] } }

everywhere("@google/genai: more", "gemini", { models }, (scenario, where) => {
  where("tool choice: this one")("a forced tool", async (at) => {
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

  where("stop sequences")("a stop sequence", async (at) => {
    const { models } = clientOf(at)
    const model = modelAt(at, "words-30")
    const [, , third = ""] = wordsOf(30).split(" ")
    const stopped = await models.generateContent({ model, contents, config: { stopSequences: [` ${third}`] } })
    assert.deepStrictEqual([stopped.text, stopped.candidates?.[0]?.finishReason], [wordsOf(2), "STOP"])
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

everywhere("@google/genai: failures", "gemini", {}, (scenario) => {
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
})
