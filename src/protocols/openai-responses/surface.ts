import type { Model } from "../../domain/Model.ts"
import type { Surface } from "../Surface.ts"
import { openAiResponsesDialect } from "./inbound.ts"

const renderModel = (model: Model) => ({
  id: model.id,
  object: "model",
  created: model.created,
  owned_by: model.provider
})

/** The Responses API on an HTTP server. Its SDKs send nothing that tells them apart. */
export const openAiResponsesSurface: Surface = {
  dialect: openAiResponsesDialect,
  generatePath: "/v1/responses",
  recognises: () => false,
  renderModel,
  renderModels: (models) => ({ object: "list", data: models.map(renderModel) })
}
