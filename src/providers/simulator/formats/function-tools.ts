import { Schema } from "effect"
import type { FunctionTool } from "../../../domain/LlmRequest.ts"
import { present } from "../../../domain/present.ts"
import { nullish } from "../../../protocols/open-document.ts"

/** A tool as most formats describe it: a function, its parameters in JSON Schema. */
export const FunctionToolDocument = Schema.Struct({
  function: Schema.Struct({
    name: Schema.String,
    description: nullish(Schema.String),
    parameters: nullish(Schema.Json)
  })
})

export const toolOf = ({ function: tool }: typeof FunctionToolDocument.Type): FunctionTool => ({
  _tag: "Function",
  name: tool.name,
  ...present({ description: tool.description, inputSchema: tool.parameters })
})
