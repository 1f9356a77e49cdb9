import type { Model } from "../../domain/Model.ts"
import { modelIds } from "../model-ids.ts"
import { isObject } from "../open-document.ts"
import type { ModelListing } from "../Protocol.ts"

/** A model as OpenAI's APIs describe it. */
export const renderOpenAiModel = (model: Model) => ({
  id: model.id,
  object: "model",
  created: model.created,
  owned_by: model.provider
})

/** A list of models as OpenAI's APIs give it. */
export const renderOpenAiModels = (models: ReadonlyArray<Model>) => ({
  object: "list",
  data: models.map(renderOpenAiModel)
})

/** How servers of OpenAI's APIs are asked for their models; some answer with the list alone. */
export const openAiModelListing: ModelListing = {
  path: "/models",
  read: (body) => modelIds(isObject(body) ? body["data"] : body, "id")
}
