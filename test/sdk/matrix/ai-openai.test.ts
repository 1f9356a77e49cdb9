import { createOpenAI } from "@ai-sdk/openai"
import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { aiSdk } from "./ai.ts"
import { matrix } from "./matrix.ts"

matrix(
  aiSdk({
    name: "ai with @ai-sdk/openai, chat",
    asking: "openai-chat",
    // The official API shows no reasoning, so this provider looks for none.
    reasons: false,
    proves: false,
    signs: false,
    modelOf: ({ fetch, url }, model) => createOpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch }).chat(model)
  })
)

matrix(
  aiSdk({
    name: "ai with @ai-sdk/openai-compatible",
    asking: "openai-chat",
    reasons: true,
    // It knows the text of what was thought, and no proofs.
    proves: false,
    signs: true,
    modelOf: ({ fetch, url }, model) =>
      createOpenAICompatible({
        name: "millrace",
        baseURL: `${url}/v1`,
        apiKey: "unused",
        fetch,
        includeUsage: true,
        supportsStructuredOutputs: true
      })(model)
  })
)

matrix(
  aiSdk({
    name: "ai with @ai-sdk/openai, responses",
    asking: "openai-responses",
    reasons: true,
    proves: true,
    signs: true,
    modelOf: ({ fetch, url }, model) =>
      createOpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch }).responses(model),
    // Where it may be stored, earlier turns are sent as references to it.
    providerOptions: { openai: { store: false, include: ["reasoning.encrypted_content"], forceReasoning: true } }
  })
)
