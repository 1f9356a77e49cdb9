import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { openAiChatDialect } from "../../../src/protocols/openai-chat/inbound.ts"

/** What a picture with this address is taken for. */
const picture = (url: string) => {
  const content = [{ type: "image_url", image_url: { url } }]
  const { request } = Result.getOrThrow(openAiChatDialect.decode({ model: "m", messages: [{ role: "user", content }] }))
  return request.messages[0]?.parts[0]
}

describe("the address of a picture", () => {
  it.each([
    ["data:image/png;base64,QUJD", "image/png", { _tag: "Base64", data: "QUJD" }],
    ["DATA:image/png;name=a.png;BASE64,QUJD,", "image/png", { _tag: "Base64", data: "QUJD," }],
    ["data:;base64,QUJD", undefined, { _tag: "Base64", data: "QUJD" }],
    ["data:image/svg+xml,<svg/>", undefined, { _tag: "Url", url: "data:image/svg+xml,<svg/>" }],
    ["data:text/plain,;base64,QUJD", undefined, { _tag: "Url", url: "data:text/plain,;base64,QUJD" }],
    ["https://example.com/a.png", undefined, { _tag: "Url", url: "https://example.com/a.png" }]
  ])("is read: %s", (url, mediaType, source) => {
    expect(picture(url)).toMatchObject({ source, ...(mediaType === undefined ? {} : { mediaType }) })
  })

  it("may be very long, and nothing", () => {
    const url = `data:${"a".repeat(2_000_000)}`
    expect(picture(url)).toMatchObject({ source: { _tag: "Url", url } })
  })
})
