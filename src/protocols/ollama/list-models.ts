import { modelIds } from "../model-ids.ts"
import { fieldsOf } from "../open-document.ts"
import type { ModelListing } from "../Protocol.ts"

/** How an Ollama server is asked for the models that it has on its disk. */
export const listModels: ModelListing = {
  path: "/api/tags",
  read: (body) => modelIds(fieldsOf(body)["models"], "name")
}
