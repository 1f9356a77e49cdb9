import type { Surface } from "../Surface.ts"
import { renderOpenAiModel, renderOpenAiModels } from "../OpenAiModels.ts"
import { openAiResponsesDialect } from "./inbound.ts"

/** The Responses API on an HTTP server. Its SDKs send nothing that tells them apart. */
export const openAiResponsesSurface: Surface = {
  dialect: openAiResponsesDialect,
  paths: [{ path: "/v1/responses", actionOf: () => ({ _tag: "Generate", dialect: openAiResponsesDialect }) }],
  prefixes: ["/v1/responses"],
  absence: "responses are made here, and not stored",
  modelsPath: "/v1/models",
  recognises: () => false,
  renderModel: renderOpenAiModel,
  renderModels: renderOpenAiModels
}
