import type { Model } from "../domain/Model.ts"

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
