import type { Surface } from "../Surface.ts"
import { openAiEmbeddings } from "../openai-embeddings/inbound.ts"
import { renderOpenAiModel, renderOpenAiModels } from "../openai/list-models.ts"
import { openAiChatDialect } from "./inbound.ts"

/** Chat Completions and embeddings on an HTTP server. The SDKs send nothing that tells them apart. */
export const openAiChatSurface: Surface = {
  dialect: openAiChatDialect,
  paths: [
    { path: "/v1/chat/completions", actionOf: () => ({ _tag: "Generate", dialect: openAiChatDialect }) },
    { path: "/v1/embeddings", actionOf: () => openAiEmbeddings }
  ],
  prefixes: ["/v1/chat", "/v1/embeddings"],
  absence: "answers are made here, and not stored",
  modelsPath: "/v1/models",
  recognises: () => false,
  renderModel: renderOpenAiModel,
  renderModels: renderOpenAiModels
}
