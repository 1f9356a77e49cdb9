import { DateTime } from "effect"
import type { Model } from "../../domain/Model.ts"
import { isObject } from "../open-document.ts"
import type { CountTokens, Surface } from "../Surface.ts"
import { anthropicMessagesDialect } from "./inbound.ts"

/** What the API says of its models and is not known of others: clients want all of it to be there. */
const unsaid = {
  capabilities: null,
  deprecated_at: null,
  line: null,
  max_input_tokens: null,
  max_tokens: null,
  retires_at: null
} as const

const renderModel = (model: Model) => ({
  ...unsaid,
  type: "model",
  id: model.id,
  display_name: model.id,
  created_at: DateTime.formatIso(DateTime.makeUnsafe(model.created * 1000))
})

/** A request to be counted has no limit of output; one that leaves room for any thinking budget is put in its place. */
const anyLimit = 1_000_000

const countTokens: CountTokens = {
  _tag: "CountTokens",
  decode: (body) => anthropicMessagesDialect.decode(isObject(body) ? { max_tokens: anyLimit, ...body } : body),
  render: (tokens) => ({ input_tokens: tokens })
}

/** The Messages API on an HTTP server; its SDKs always send their version. */
export const anthropicMessagesSurface: Surface = {
  dialect: anthropicMessagesDialect,
  paths: [
    { path: "/v1/messages", actionOf: () => ({ _tag: "Generate", dialect: anthropicMessagesDialect }) },
    { path: "/v1/messages/count_tokens", actionOf: () => countTokens }
  ],
  prefixes: ["/v1/messages"],
  modelsPath: "/v1/models",
  recognises: (headers) => headers["anthropic-version"] !== undefined,
  renderModel,
  renderModels: (models) => ({
    data: models.map(renderModel),
    has_more: false,
    first_id: models[0]?.id ?? null,
    last_id: models.at(-1)?.id ?? null
  })
}
