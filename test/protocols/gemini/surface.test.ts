import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { geminiArrayDialect, geminiDialect } from "../../../src/protocols/gemini/inbound.ts"
import { geminiSurface } from "../../../src/protocols/gemini/surface.ts"

const query = (text = "") => new URLSearchParams(text)

describe("the Gemini API on a server", () => {
  it("takes the action, the model and the framing from the path and the query", () => {
    const { actionOf } = geminiSurface
    expect(actionOf("m:generateContent", query())).toMatchObject({ action: "generate", model: "m", delivery: "whole" })
    expect(actionOf("m:streamGenerateContent", query("alt=sse&key=k"))).toMatchObject({
      delivery: "stream",
      dialect: geminiDialect
    })
    const array = actionOf("m:streamGenerateContent", query())
    expect(array).toMatchObject({ delivery: "stream", dialect: geminiArrayDialect })
    expect(array?.contentType).toContain("application/json")
    expect(actionOf("m:countTokens", query())).toMatchObject({ action: "countTokens", model: "m" })
    expect(actionOf("openai/gpt:latest:generateContent", query())?.model).toBe("openai/gpt:latest")
    expect(actionOf("a%2Fb%20c:generateContent", query())?.model).toBe("a/b c")
    for (const rest of ["m", "m:embedContent", ":generateContent", "%E0%A4:generateContent", ""]) {
      expect(actionOf(rest, query())).toBeUndefined()
    }
  })

  it("counts what is to be counted, in either form", () => {
    const { decode, render } = geminiSurface.countTokens
    const contents = [{ parts: [{ text: "Hi" }] }]
    const path = { model: "m", delivery: "whole" } as const
    for (const body of [{ contents }, { generateContentRequest: { model: "models/m", contents } }]) {
      expect(Result.getOrThrow(decode(body, path)).request.messages).toHaveLength(1)
    }
    expect(render(7)).toEqual({ totalTokens: 7 })
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
