import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { geminiArrayDialect, geminiDialect } from "../../../src/protocols/gemini/inbound.ts"
import { geminiSurface } from "../../../src/protocols/gemini/surface.ts"

const query = (text = "") => new URLSearchParams(text)

describe("the Gemini API on a server", () => {
  const actionOf = (rest: string, text = "") => geminiSurface.paths[0]!.actionOf(rest, query(text))

  it("takes the action, the model and the framing from the path and the query", () => {
    expect(geminiSurface.paths.map(({ path }) => path)).toEqual([
      "/v1beta/models/*",
      "/v1/models/*",
      "/v1alpha/models/*"
    ])
    expect(actionOf("m:generateContent")).toMatchObject({ _tag: "Generate", path: { model: "m", delivery: "whole" } })
    expect(actionOf("m:streamGenerateContent", "alt=sse&key=k")).toMatchObject({
      dialect: geminiDialect,
      path: { delivery: "stream" }
    })
    expect(actionOf("m:streamGenerateContent")).toMatchObject({
      dialect: geminiArrayDialect,
      path: { delivery: "stream" }
    })
    expect(geminiArrayDialect.contentType).toContain("application/json")
    expect(actionOf("m:countTokens")).toMatchObject({ _tag: "CountTokens" })
    expect(actionOf("openai/gpt:latest:generateContent")).toMatchObject({ path: { model: "openai/gpt:latest" } })
    expect(actionOf("models/m:generateContent")).toMatchObject({ path: { model: "m" } })
    for (const rest of ["m", "m:predict", ":generateContent", ""]) expect(actionOf(rest)).toBeUndefined()
  })

  it("counts what is to be counted, in either form", () => {
    const action = actionOf("m:countTokens")
    if (action?._tag !== "CountTokens") throw new Error("not counted")
    const contents = [{ parts: [{ text: "Hi" }] }]
    for (const body of [{ contents }, { generateContentRequest: { model: "models/m", contents } }]) {
      expect(Result.getOrThrow(action.decode(body)).request.messages).toHaveLength(1)
    }
    expect(action.render(7)).toEqual({ totalTokens: 7 })
  })

  it("lists models under the names that its clients ask for", () => {
    const model = { id: "smart", provider: "p", created: 1 }
    expect(geminiSurface.renderModels([model])).toMatchObject({
      models: [{ name: "models/smart", displayName: "smart" }]
    })
    expect(geminiSurface.renderModel(model)).toMatchObject({ name: "models/smart" })
  })

  it("knows its clients by their headers or their key in the query", () => {
    const { recognises } = geminiSurface
    expect(recognises({ "x-goog-api-key": "k" }, query())).toBe(true)
    expect(recognises({ "x-goog-api-client": "genai-js" }, query())).toBe(true)
    expect(recognises({}, query("key=k"))).toBe(true)
    expect(recognises({ authorization: "Bearer k" }, query())).toBe(false)
  })
})
