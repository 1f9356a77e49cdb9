import { assert, describe, expect, it } from "@effect/vitest"
import { Result } from "effect"
import type { EmbeddingAnswer, EmbeddingRequest } from "../../../src/domain/Embedding.ts"
import { decodeRequest, renderAnswer } from "../../../src/protocols/openai-embeddings/inbound.ts"
import { decodeVector, encodeVector } from "../../../src/protocols/vectors.ts"

const decoded = (input: unknown, more: object = {}): EmbeddingRequest =>
  Result.getOrThrow(decodeRequest({ model: "m", input, ...more } as never))

const refused = (body: object) => Result.getOrThrow(Result.flip(decodeRequest(body as never)))

describe("a request for embeddings", () => {
  it("has texts or tokens, one or several", () => {
    expect(decoded("a").input).toEqual({ _tag: "Texts", texts: ["a"] })
    expect(decoded(["a", "b"]).input).toEqual({ _tag: "Texts", texts: ["a", "b"] })
    expect(decoded([1, 2]).input).toEqual({ _tag: "Tokens", sequences: [[1, 2]] })
    expect(decoded([[1, 2], [3]]).input).toEqual({ _tag: "Tokens", sequences: [[1, 2], [3]] })
    expect(decoded("").input).toEqual({ _tag: "Texts", texts: [""] })
  })

  it("keeps what single providers know, and takes null for nothing", () => {
    const request = decoded("a", {
      encoding_format: null,
      dimensions: 3,
      user: null,
      input_type: "search_query",
      extra: { deep: [1] }
    })
    expect(request).toEqual({
      model: "m",
      input: { _tag: "Texts", texts: ["a"] },
      encoding: "float",
      dimensions: 3,
      rest: { input_type: "search_query", extra: { deep: [1] } }
    })
  })

  it.each([
    [{ input: "a" }, "model"],
    [{ model: "", input: "a" }, "model"],
    [{ model: "m" }, "input"],
    [{ model: "m", input: [] }, "input"],
    [{ model: "m", input: [[]] }, "input"],
    [{ model: "m", input: ["a", 1] }, "input"],
    [{ model: "m", input: [1.5] }, "input"],
    [{ model: "m", input: "a", dimensions: 0 }, "dimensions"],
    [{ model: "m", input: "a", encoding_format: "hex" }, "encoding_format"]
  ])("says what is wrong with %j", (body, path) => {
    const { message, reason } = refused(body)
    assert.strictEqual(reason._tag === "InvalidRequest" ? reason.path : undefined, path)
    assert.include(message, path)
  })
})

const answer = (more: Partial<EmbeddingAnswer> = {}): EmbeddingAnswer => ({
  model: "their-m",
  vectors: [
    [0.5, -1],
    [2, 0.25]
  ],
  usage: { inputTokens: 7, source: "provider" },
  notices: [],
  ...more
})

describe("an answer with embeddings", () => {
  it("is made of any provider's vectors", () => {
    expect(JSON.parse(renderAnswer(answer(), decoded(["a", "b"])))).toEqual({
      object: "list",
      model: "their-m",
      usage: { prompt_tokens: 7, total_tokens: 7 },
      data: [
        { object: "embedding", index: 0, embedding: [0.5, -1] },
        { object: "embedding", index: 1, embedding: [2, 0.25] }
      ]
    })
  })

  it("has base64 where that was asked for", () => {
    const { data } = JSON.parse(renderAnswer(answer(), decoded(["a", "b"], { encoding_format: "base64" })))
    // 0.5 is 3f000000 and -1 is bf800000, their least byte first.
    assert.strictEqual(data[0].embedding, Buffer.from("0000003f000080bf", "hex").toString("base64"))
  })

  const text = '{ "object":"list", "data":[{"embedding":[0.50,-1.0]}], "model":"x", "id":"kept" }'
  const own = answer({ vectors: [[0.5, -1]], origin: { protocol: "openai-embeddings", text } })

  it("is the provider's own, to the byte, where its vectors are as asked for", () => {
    assert.strictEqual(renderAnswer(own, decoded("a")), text)
  })

  it("is the provider's own but for the vectors, where it does not know base64", () => {
    const rendered = JSON.parse(renderAnswer(own, decoded("a", { encoding_format: "base64" })))
    assert.strictEqual(rendered.id, "kept")
    assert.deepStrictEqual(decodeVector(rendered.data[0].embedding), [0.5, -1])
  })

  it("has numbers where a provider gave base64 unasked", () => {
    const given = answer({ vectors: [encodeVector([0.5, -1])] })
    assert.deepStrictEqual(JSON.parse(renderAnswer(given, decoded("a"))).data[0].embedding, [0.5, -1])
  })
})
