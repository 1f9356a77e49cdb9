import { modelIds } from "../model-ids.ts"
import { fieldsOf } from "../open-document.ts"
import type { ModelListing } from "../Protocol.ts"
import { defaultVersion } from "./wire.ts"

/** How a server of the Messages API is asked for its models. */
export const listModels: ModelListing = {
  path: "/v1/models?limit=1000",
  headers: { "anthropic-version": defaultVersion },
  read: (body) => modelIds(fieldsOf(body)["data"], "id")
}
