import type { ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { mark } from "../foreign-fields.ts"
import { fieldsOf, isObject, parseJson, type JsonObject } from "../open-document.ts"
import { extended } from "./extension.ts"

/** How an item was written that is a call of a tool of this API, or its answer. */
export const runItem = mark("item")

/** What a call of these tools says of what is to be done; they run at the client, or in a container of the provider. */
const inputs: { readonly [type: string]: string } = {
  local_shell_call: "action",
  shell_call: "action",
  apply_patch_call: "operation"
}

/** A call of a tool that is this API's own and no function, as a call that every format knows; undefined for other items. */
export const callOfRun = (item: JsonObject): ToolCallPart | undefined => {
  const type = String(item["type"])
  const { call_id: id } = item
  const input = inputs[type]
  if (input === undefined || typeof id !== "string") return undefined
  const name = type.replace(/_call$/, "")
  return {
    _tag: "ToolCall",
    id,
    name,
    arguments: JSON.stringify(fieldsOf(item[input])),
    ...extended({ [runItem]: item })
  }
}

/** The answer to such a call, in words. */
export const answerOfRun = (item: JsonObject): ToolResultPart | undefined => {
  // There are clients that name the call by its item.
  const { call_id: callId = item["id"], output } = item
  const call = /^(.+)_output$/.exec(String(item["type"]))?.[1]
  if (call === undefined || inputs[call] === undefined || typeof callId !== "string") return undefined
  const text = typeof output === "string" ? output : textOf(output ?? item["status"])
  return { _tag: "ToolResult", callId, content: [{ _tag: "Text", text }], ...extended({ [runItem]: item }) }
}

const textOf = (value: JsonObject[string] | undefined): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? null)

/** The item of a call as it was written, but for what was changed in its arguments. */
export const itemOfCalledRun = (item: JsonObject, { arguments: text }: ToolCallPart): JsonObject => {
  const input = inputs[String(item["type"])] ?? ""
  return text === JSON.stringify(fieldsOf(item[input])) ? item : { ...item, [input]: fieldsOf(parseJson(text)) }
}

/** The item of an answer as it was written, but for what was changed in its words. */
export const itemOfAnsweredRun = (item: JsonObject, { content }: ToolResultPart): JsonObject => {
  const text = content.map((piece) => (piece._tag === "Text" ? piece.text : "")).join("")
  const { output } = item
  if (text === textOf(output ?? item["status"])) return item
  if (!Array.isArray(output)) return { ...item, output: text }
  const changed = parseJson(text)
  const [first] = output
  return {
    ...item,
    output: Array.isArray(changed) ? changed : [{ ...(isObject(first) ? first : {}), stdout: text, stderr: "" }]
  }
}
