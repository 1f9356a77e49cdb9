import { createAnthropic } from "@ai-sdk/anthropic"
import { createGoogleGenerativeAI } from "@ai-sdk/google"
import { aiSdk } from "./ai.ts"
import { matrix } from "./matrix.ts"

matrix(
  aiSdk({
    name: "ai with @ai-sdk/anthropic",
    asking: "anthropic-messages",
    reasons: true,
    proves: true,
    signs: true,
    modelOf: ({ fetch, url }, model) => createAnthropic({ baseURL: `${url}/v1`, apiKey: "unused", fetch })(model),
    // For a model that it does not know, it would ask for a tool call with the object.
    providerOptions: { anthropic: { structuredOutputMode: "outputFormat" } }
  })
)

matrix(
  aiSdk({
    name: "ai with @ai-sdk/google",
    asking: "gemini",
    reasons: true,
    proves: true,
    signs: true,
    modelOf: ({ fetch, url }, model) =>
      // The model is put into the path as it is, where a question mark would end it.
      createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: "unused", fetch })(
        `models/${model.replaceAll(/[?&]/g, ";")}`
      )
  })
)
