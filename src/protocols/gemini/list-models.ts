import { modelIds } from "../model-ids.ts"
import { fieldsOf } from "../open-document.ts"
import type { ModelListing } from "../Protocol.ts"
import { modelName } from "./decode-request.ts"

/** How a server of the Gemini API is asked for its models. */
export const listModels: ModelListing = {
  path: "/v1beta/models?pageSize=1000",
  read: (body) => modelIds(fieldsOf(body)["models"], "name")?.map(modelName)
}
