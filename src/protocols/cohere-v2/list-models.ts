import { modelIds } from "../model-ids.ts"
import { fieldsOf } from "../open-document.ts"
import type { ModelListing } from "../Protocol.ts"

/** How Cohere is asked for its models. */
export const listModels: ModelListing = {
  path: "/v1/models?page_size=1000",
  read: (body) => modelIds(fieldsOf(body)["models"], "name")
}
