import type { Surface } from "../Surface.ts"
import { renderOpenAiModel, renderOpenAiModels } from "../OpenAiModels.ts"
import { openAiChatDialect } from "./inbound.ts"

/** Chat Completions on an HTTP server. Its SDKs send nothing that tells them apart. */
export const openAiChatSurface: Surface = {
  dialect: openAiChatDialect,
  paths: [{ path: "/v1/chat/completions", actionOf: () => ({ _tag: "Generate", dialect: openAiChatDialect }) }],
  modelsPath: "/v1/models",
  recognises: () => false,
  renderModel: renderOpenAiModel,
  renderModels: renderOpenAiModels
}
