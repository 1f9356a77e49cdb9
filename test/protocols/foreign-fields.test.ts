import { describe, expect, it } from "vitest"
import { foreignFields, mark } from "../../src/protocols/foreign-fields.ts"

describe("what other formats kept for themselves", () => {
  it("is lost where it says something, and not where it goes without saying, is null, a mark or a name at its provider", () => {
    const kept = {
      one: { logit_bias: {}, id: "msg_1", audio: null, [mark("effort")]: true, caller: { type: "direct" } },
      two: { safetySettings: [] }
    }
    expect(foreignFields(kept, "three")).toEqual(["logit_bias", "safetySettings"])
    expect(foreignFields(kept, "one")).toEqual(["safetySettings"])
    expect(foreignFields(undefined, "one")).toEqual([])
    expect(foreignFields({ one: { generationConfig: { speechConfig: {}, seed: 1 } } }, "two")).toEqual([
      "generationConfig.speechConfig",
      "generationConfig.seed"
    ])
    const block = { type: "search_result", source: "https://example.com", content: [], citations: null }
    expect(foreignFields({ one: { block } }, "two")).toEqual(["search_result.source"])
    expect(foreignFields({ one: { block: { type: "document", source: { type: "text" } } } }, "two")).toEqual([])
    expect(foreignFields({ one: { caller: { type: "code_execution_20260521" } } }, "two")).toEqual(["caller"])
  })
})
