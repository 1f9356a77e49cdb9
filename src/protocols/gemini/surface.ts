import type { Schema } from "effect"
import type { Delivery } from "../../domain/LlmRequest.ts"
import type { Model } from "../../domain/Model.ts"
import type { Dialect } from "../Dialect.ts"
import { decodeCountRequest, modelName } from "./decode-request.ts"
import { geminiArrayDialect, geminiDialect } from "./inbound.ts"

/** What a path below `prefix` asks for. `contentType` is that of the answer. */
export interface GeminiAction {
  readonly action: "generate" | "countTokens"
  readonly model: string
  readonly delivery: Delivery
  readonly dialect: Dialect
  readonly contentType: string
}

type Query = { readonly get: (name: string) => string | null }

const json = "application/json; charset=UTF-8"

/** The action of a path such as `gemini-2.5-flash:streamGenerateContent`; undefined where the API has none of that name. */
const actionOf = (rest: string, query: Query): GeminiAction | undefined => {
  // Names of models may have colons themselves.
  const colon = rest.lastIndexOf(":")
  const model = decodeName(rest.slice(0, colon))
  if (colon < 1 || model === undefined) return undefined
  const whole = { model, delivery: "whole", dialect: geminiDialect, contentType: json } as const
  switch (rest.slice(colon + 1)) {
    case "generateContent":
      return { action: "generate", ...whole }
    case "countTokens":
      return { action: "countTokens", ...whole }
    case "streamGenerateContent":
      return query.get("alt") === "sse"
        ? { action: "generate", model, delivery: "stream", dialect: geminiDialect, contentType: "text/event-stream" }
        : { action: "generate", model, delivery: "stream", dialect: geminiArrayDialect, contentType: json }
    default:
      return undefined
  }
}

/** A name as it stands in a path; undefined where its escapes are none. */
const decodeName = (text: string): string | undefined => {
  // decodeURIComponent says no by throwing.
  try {
    return modelName(decodeURIComponent(text))
  } catch {
    return undefined
  }
}

const renderModel = (model: Model) => ({
  name: `models/${model.id}`,
  baseModelId: model.id,
  version: model.id,
  displayName: model.id,
  supportedGenerationMethods: ["generateContent", "streamGenerateContent", "countTokens"]
})

/**
 * The Gemini API on an HTTP server. `POST` to what lies below `prefix` is an action of a model, `GET` is the description of
 * one, and `GET` of `prefix` without its last slash the list of all.
 */
export const geminiSurface = {
  dialect: geminiDialect,
  prefix: "/v1beta/models/",
  listPath: "/v1beta/models",
  actionOf,
  countTokens: {
    decode: decodeCountRequest,
    render: (tokens: number): Schema.Json => ({ totalTokens: tokens })
  },
  /** Whether a client of this dialect sends such headers, or shows its key in such a query; names are lower case. */
  recognises: (headers: { readonly [name: string]: string | undefined }, query: Query): boolean =>
    headers["x-goog-api-key"] !== undefined || headers["x-goog-api-client"] !== undefined || query.get("key") !== null,
  renderModel: (model: Model): Schema.Json => renderModel(model),
  renderModels: (models: ReadonlyArray<Model>): Schema.Json => ({ models: models.map(renderModel) })
}
