import { modelIds } from "../model-ids.ts"
import { isObject } from "../open-document.ts"
import type { ModelListing } from "../Protocol.ts"

/** How Cohere is asked for its models. */
export const listModels: ModelListing = {
  path: "/v1/models?page_size=1000",
  read: (body) => modelIds(isObject(body) ? body["models"] : undefined, "name")
}
