import type { ResponseFormat } from "../../domain/LlmRequest.ts"
import type { ClaudeTraits } from "./traits.ts"
import { closedSchema } from "./schema.ts"
import { jsonInstruction, jsonIsTold, schemaInstruction, schemaIsTold } from "../JsonInstruction.ts"
import type { Notices } from "../Notices.ts"
import type { JsonObject } from "../open-document.ts"

/** The form of an answer: a schema that the model is held to, or what it is told of it. */
export interface Form {
  readonly schema?: JsonObject
  readonly instruction?: string
}

/** The form that is asked for, as the model takes it: a schema where it can be held to this one, else words. */
export const formOf = (format: ResponseFormat | undefined, { schemas }: ClaudeTraits, said: Notices): Form => {
  if (format === undefined || format._tag === "Text") return {}
  if (format._tag === "Json") {
    said.add("emulated", jsonIsTold)
    return { instruction: jsonInstruction }
  }
  const schema = schemas ? closedSchema(format.schema, said) : undefined
  if (schema !== undefined) return { schema }
  said.add("emulated", schemaIsTold)
  return { instruction: schemaInstruction(format.schema) }
}
