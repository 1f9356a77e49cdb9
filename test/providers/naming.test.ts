import { Redacted } from "effect"
import { expect, it } from "vitest"
import { failure } from "../../src/domain/LlmError.ts"
import { openAiChat } from "../../src/protocols/openai-chat/outbound.ts"
import { bearer } from "../../src/providers/Deployment.ts"
import { naming } from "../../src/providers/naming.ts"

it("takes out of what a provider says whatever it was shown, be it configured as a key or as a header", () => {
  const told = naming({
    provider: "acme",
    protocols: [openAiChat],
    baseUrl: "http://localhost",
    auth: bearer,
    apiKey: Redacted.make("the-key-of-acme"),
    headers: { "x-gateway": "Bearer the-key-of-the-gateway", "x-region": "eu" },
    quirks: {}
  })(
    failure({ _tag: "Unauthorized" }, "Wrong: the-key-of-acme, the-key-of-the-gateway of eu", {
      fault: { raw: '{"shown":"the-key-of-the-gateway"}' }
    })
  )
  expect(told.message).toMatch(/^Wrong: <redacted>, <redacted> of eu \(the provider acme did not accept/)
  expect(told.fault).toEqual({ raw: '{"shown":"<redacted>"}', provider: "acme" })
})
