import type { Model } from "../../domain/Model.ts"
import type { Surface } from "../Surface.ts"
import { openAiChatDialect } from "./inbound.ts"

const renderModel = (model: Model) => ({
  id: model.id,
  object: "model",
  created: model.created,
  owned_by: model.provider
})

/** Chat Completions on an HTTP server. Its SDKs send nothing that tells them apart. */
export const openAiChatSurface: Surface = {
  dialect: openAiChatDialect,
  generatePath: "/v1/chat/completions",
  recognises: () => false,
  renderModel,
  renderModels: (models) => ({ object: "list", data: models.map(renderModel) })
}
