import type { FormatName } from "../../../src/providers/formats.ts"
import { isObject, type JsonObject } from "../../../src/protocols/open-document.ts"
import { chat } from "./chat.ts"
import { converse } from "./converse.ts"
import { list, type Check } from "./faults.ts"
import { gemini } from "./gemini.ts"
import { messages } from "./messages.ts"
import { responses } from "./responses.ts"

const cohere: Check = (body, fault) => {
  let open: ReadonlyArray<unknown> = []
  list(body["messages"]).forEach(({ role, content, tool_calls, tool_call_id }, at) => {
    if (role === "tool") {
      if (!open.includes(tool_call_id)) fault(`messages[${at}] answers no call: ${tool_call_id}`)
      open = open.filter((id) => id !== tool_call_id)
      return
    }
    if (open.length > 0) fault(`messages[${at}] comes before answers`)
    open = list(tool_calls).map(({ id }) => id)
    if (open.length > 0 && content !== undefined) fault(`messages[${at}] has content beside calls`)
    if (role !== "assistant" && (content === "" || content === undefined)) fault(`messages[${at}] is empty`)
    if (role === "assistant" && (content === undefined || content === "") && open.length === 0)
      fault(`messages[${at}] says nothing`)
  })
}

const ollama: Check = (body, fault) => {
  for (const message of list(body["messages"])) {
    if (typeof message["content"] !== "string") fault("content that is no text")
    for (const { function: called } of list(message["tool_calls"])) {
      if (!isObject(called) || !isObject(called["arguments"])) fault("arguments that are no object")
    }
  }
}

const interactions: Check = (body, fault) => {
  if (!Array.isArray(body["input"]) && typeof body["input"] !== "string") fault("no input")
}

const checks: { readonly [name in FormatName]: Check } = {
  "openai-chat": chat,
  "openai-responses": responses,
  "anthropic-messages": messages,
  "bedrock-invoke-anthropic": messages,
  gemini,
  "gemini-interactions": interactions,
  "openai-completions": () => {},
  "cohere-v2": cohere,
  ollama,
  "bedrock-converse": converse
}

/** What a provider would refuse of a request, a line for each thing: what the documentation of its API says, and its errors. */
export const requestFaults = (format: FormatName, model: string, body: JsonObject): ReadonlyArray<string> => {
  const faults: Array<string> = []
  checks[format](body, (what) => void faults.push(what), model)
  return faults
}
