import type { Schema } from "effect"
import { isObject, type JsonObject } from "../open-document.ts"
import { isSealed } from "../SealedReasoning.ts"
import { isUnchanged } from "../unchanged.ts"
import { notTakenBack } from "./encode-items.ts"
import type { ResponsesEncoding } from "./encoding.ts"

/**
 * The input as it was written, without what would be refused of turns that another provider made: reasoning that was sealed
 * for the caller, which no server of this format could read, and ids of calls that are too long here or come twice.
 */
export const takeableInput = ({ input }: JsonObject, encoding: ResponsesEncoding): JsonObject => {
  if (!Array.isArray(input)) return {}
  const left = input.filter((item) => !isSealedItem(item))
  if (left.length < input.length) encoding.dropped(...notTakenBack)
  const taken = left.map((item) => withTakenId(item, encoding))
  return isUnchanged(taken, input) ? {} : { input: taken }
}

const isSealedItem = (item: Schema.Json): boolean => {
  const blob = isObject(item) ? item["encrypted_content"] : undefined
  return typeof blob === "string" && isSealed(blob)
}

const withTakenId = (item: Schema.Json, { callIds }: ResponsesEncoding): Schema.Json => {
  const id = isObject(item) ? item["call_id"] : undefined
  if (!isObject(item) || typeof id !== "string") return item
  const taken = String(item["type"]).endsWith("_output") ? callIds.result(id) : callIds.call(id)
  return taken === id ? item : { ...item, call_id: taken }
}
