import type { Schema } from "effect"
import { isObject } from "../open-document.ts"
import type { GeminiEncoding } from "./encoding.ts"
import { fieldOf } from "./proto-document.ts"

/** What the API itself names for calls that no model of its own made. */
const noSignature = "skip_thought_signature_validator"

/** The first call of a turn of the model has to be signed; one that came from elsewhere says that it cannot be. */
export const signFirstCall = (parts: Array<Schema.Json>, encoding: GeminiEncoding): void => {
  const index = parts.findIndex((part) => isObject(part) && isObject(fieldOf(part, "functionCall")))
  const call = parts[index]
  if (!isObject(call) || fieldOf(call, "thoughtSignature") !== undefined) return
  parts[index] = { ...call, thoughtSignature: noSignature }
  encoding.add("emulated", "calls of an earlier turn were not signed by the target, which is told so")
}
