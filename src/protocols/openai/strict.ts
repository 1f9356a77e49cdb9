import type { Schema } from "effect"
import type { FunctionTool } from "../../domain/LlmRequest.ts"
import type { Notices } from "../Notices.ts"
import { isObject } from "../open-document.ts"

type Json = Schema.Json

const valuesOf = (value: Json | undefined): ReadonlyArray<Json> => (isObject(value) ? Object.values(value) : [])
const listOf = (value: Json | undefined): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])

/** Whether every object of a schema is closed and has all its fields: OpenAI holds calls to such schemas, and refuses others. */
const isStrict = (schema: Json): boolean => {
  if (!isObject(schema)) return true
  const { type, properties, required, additionalProperties, items, anyOf, $defs, definitions } = schema
  const names = isObject(properties) ? Object.keys(properties) : []
  const needed = new Set(listOf(required))
  const isOfObjects = type === "object" || listOf(type).includes("object") || properties !== undefined
  if (isOfObjects && (additionalProperties !== false || !names.every((name) => needed.has(name)))) {
    return false
  }
  const parts = [...valuesOf(properties), ...listOf(anyOf), ...valuesOf($defs), ...valuesOf(definitions)]
  return (items === undefined || isStrict(items)) && parts.every(isStrict)
}

/** Whether the calls of a tool are held to its schema, as a server of OpenAI can be asked for it. */
export const strictOf = ({ name, inputSchema, strict }: FunctionTool, said: Notices): boolean | undefined => {
  if (strict !== true || inputSchema === undefined || isStrict(inputSchema)) return strict
  said.dropped(`strict of the tool ${name}`, "OpenAI wants every object closed and all of its fields required")
  return undefined
}
