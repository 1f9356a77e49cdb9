import type { Model } from "../../domain/Model.ts"
import type { Action, Surface } from "../Surface.ts"
import { decodeCountRequest, modelName } from "./decode-request.ts"
import { batchEmbedContents, embedContent } from "./inbound-embed.ts"
import { geminiArrayDialect, geminiDialect } from "./inbound.ts"

const modelsPath = "/v1beta/models"

/** The action of a path such as `gemini-2.5-flash:streamGenerateContent`; undefined where the API has none of that name. */
const actionOf = (rest: string, query: { readonly get: (name: string) => string | null }): Action | undefined => {
  // Names of models may have colons themselves.
  const colon = rest.lastIndexOf(":")
  if (colon < 1) return undefined
  const model = modelName(rest.slice(0, colon))
  switch (rest.slice(colon + 1)) {
    case "generateContent":
      return { _tag: "Generate", dialect: geminiDialect, path: { model, delivery: "whole" } }
    case "streamGenerateContent": {
      const dialect = query.get("alt") === "sse" ? geminiDialect : geminiArrayDialect
      return { _tag: "Generate", dialect, path: { model, delivery: "stream" } }
    }
    case "countTokens":
      return {
        _tag: "CountTokens",
        decode: (body) => decodeCountRequest(body, { model, delivery: "whole" }),
        render: (tokens) => ({ totalTokens: tokens })
      }
    case "embedContent":
      return embedContent(model)
    case "batchEmbedContents":
      return batchEmbedContents(model)
    default:
      return undefined
  }
}

const renderModel = (model: Model) => ({
  name: `models/${model.id}`,
  baseModelId: model.id,
  version: model.id,
  displayName: model.id,
  supportedGenerationMethods: [
    "generateContent",
    "streamGenerateContent",
    "countTokens",
    "embedContent",
    "batchEmbedContents"
  ]
})

/** The Gemini API on an HTTP server: everything is an action of a model, named in the path. */
export const geminiSurface: Surface = {
  dialect: geminiDialect,
  // Newer SDKs ask for the stable version where nothing is said, and for the earliest one where they want what is new.
  paths: [modelsPath, "/v1/models", "/v1alpha/models"].map((path) => ({ path: `${path}/*`, actionOf })),
  prefixes: ["/v1beta", "/v1alpha"],
  modelsPath,
  recognises: (headers, query) =>
    headers["x-goog-api-key"] !== undefined || headers["x-goog-api-client"] !== undefined || query.get("key") !== null,
  renderModel,
  renderModels: (models) => ({ models: models.map(renderModel) })
}
