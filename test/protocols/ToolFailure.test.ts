import { describe, expect, it } from "vitest"
import type { ToolResultPart } from "../../src/domain/LlmRequest.ts"
import { Notices } from "../../src/protocols/Notices.ts"
import { withToldFailure } from "../../src/protocols/ToolFailure.ts"

const text = (said: string) => ({ _tag: "Text", text: said }) as const
const picture = { _tag: "Media", kind: "image", source: { _tag: "Base64", data: "aGk=" } } as const

const told = (content: ToolResultPart["content"], more: Partial<ToolResultPart> = { isError: true }) => {
  const said = new Notices("why")
  const result = withToldFailure({ _tag: "ToolResult", callId: "c", content, ...more }, said)
  return { result, codes: said.list.map(({ code }) => code) }
}

describe("the failure of a tool where a format has no field for it", () => {
  it.each([
    [[text("no such city")], [text("Error: no such city")]],
    [
      [text("one"), text("two")],
      [text("Error: one"), text("two")]
    ],
    [[], [text("Error: the tool failed")]],
    [[text("")], [text("Error: the tool failed")]],
    [[picture], [text("Error:"), picture]],
    [
      [picture, text("see there")],
      [text("Error:"), picture, text("see there")]
    ]
  ])("is said in the text of its result: %j", (content, expected) => {
    expect(told(content)).toEqual({
      result: { _tag: "ToolResult", callId: "c", content: expected },
      codes: ["emulated"]
    })
  })

  it("is nothing where the tool did not fail", () => {
    const { codes, result } = told([text("fine")], {})
    expect(result.content).toEqual([text("fine")])
    expect(codes).toEqual([])
  })
})
