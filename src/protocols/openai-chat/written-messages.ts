import { isObject, type JsonObject } from "../open-document.ts"
import { isUnchanged } from "../unchanged.ts"
import type { ChatEncoding } from "./encoding.ts"
import { notTakenBack, withoutSealed } from "./reasoning-details.ts"

/**
 * The messages as they were written, without what would be refused of turns that another provider made: reasoning that was
 * sealed for the caller, which no server of this format could read, and ids of calls that are too long here.
 */
export const takeableMessages = ({ messages }: JsonObject, encoding: ChatEncoding): JsonObject => {
  if (!Array.isArray(messages)) return {}
  const kept = messages.map((message) => (isObject(message) ? withoutSealed(message) : message))
  if (!isUnchanged(kept, messages)) encoding.dropped(...notTakenBack)
  const taken = kept.map((message) => (isObject(message) ? withTakenIds(message, encoding) : message))
  return isUnchanged(taken, messages) ? {} : { messages: taken }
}

const withTakenIds = (message: JsonObject, encoding: ChatEncoding): JsonObject => {
  const { tool_call_id: id, tool_calls: calls } = message
  if (typeof id === "string")
    return encoding.callId(id) === id ? message : { ...message, tool_call_id: encoding.callId(id) }
  const isLong = (call: unknown): call is JsonObject & { readonly id: string } =>
    isObject(call) && typeof call["id"] === "string" && encoding.callId(call["id"]) !== call["id"]
  if (!Array.isArray(calls) || !calls.some(isLong)) return message
  return {
    ...message,
    tool_calls: calls.map((call) => (isLong(call) ? { ...call, id: encoding.callId(call.id) } : call))
  }
}
