import { modelIds } from "../model-ids.ts"
import { isObject } from "../open-document.ts"
import type { ModelListing } from "../Protocol.ts"
import { modelName } from "./decode-request.ts"

/** How a server of the Gemini API is asked for its models. */
export const listModels: ModelListing = {
  path: "/v1beta/models?pageSize=1000",
  read: (body) => modelIds(isObject(body) ? body["models"] : undefined, "name")?.map(modelName)
}
