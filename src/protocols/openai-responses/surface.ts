import type { CountTokens, Surface } from "../Surface.ts"
import { renderOpenAiModel, renderOpenAiModels } from "../openai/list-models.ts"
import { openAiResponsesDialect } from "./inbound.ts"

const countTokens: CountTokens = {
  _tag: "CountTokens",
  decode: (body) => openAiResponsesDialect.decode(body),
  render: (tokens) => ({ object: "response.input_tokens", input_tokens: tokens })
}

/** The Responses API on an HTTP server. Its SDKs send nothing that tells them apart. */
export const openAiResponsesSurface: Surface = {
  dialect: openAiResponsesDialect,
  paths: [
    { path: "/v1/responses", actionOf: () => ({ _tag: "Generate", dialect: openAiResponsesDialect }) },
    { path: "/v1/responses/input_tokens", actionOf: () => countTokens }
  ],
  prefixes: ["/v1/responses"],
  absence: "responses are made here, and not stored",
  modelsPath: "/v1/models",
  recognises: () => false,
  renderModel: renderOpenAiModel,
  renderModels: renderOpenAiModels
}
