import { isObject } from "../../../src/protocols/open-document.ts"
import { list, nameFaults, text, type Check } from "./faults.ts"

/** What OpenAI refuses of a request of Chat Completions. */
export const chat: Check = (body, fault) => {
  const messages = list(body["messages"])
  let open: ReadonlyArray<unknown> = []
  messages.forEach((message, at) => {
    const { role, content, tool_calls, tool_call_id } = message
    const calls = list(tool_calls)
    if (role === "tool") {
      if (!open.includes(tool_call_id)) fault(`messages[${at}] answers no call: ${tool_call_id}`)
      open = open.filter((id) => id !== tool_call_id)
      if (content === null || content === undefined) fault(`messages[${at}] says nothing`)
      return
    }
    if (open.length > 0) fault(`messages[${at}] comes before the answers of ${open.join()}`)
    open = calls.map(({ id }) => id)
    if (tool_calls !== undefined && calls.length === 0) fault(`messages[${at}].tool_calls is empty`)
    if (content == null && calls.length === 0 && message["refusal"] === undefined && message["audio"] === undefined) {
      fault(`messages[${at}] says nothing`)
    }
    if (Array.isArray(content) && content.length === 0) fault(`messages[${at}].content is empty`)
    for (const piece of list(content)) {
      const allowed =
        role === "assistant" ? /^(text|refusal)$/ : role === "user" ? /^(text|image_url|input_audio|file)$/ : /^text$/
      if (!allowed.test(text(piece["type"]))) fault(`messages[${at}].content has a ${piece["type"]}`)
    }
    for (const { id, type, function: called, custom } of calls) {
      if (typeof id !== "string" || id === "" || id.length > 40) fault(`the id ${id}`)
      if (type === "function" && isObject(called)) {
        nameFaults(called["name"], fault)
        if (typeof called["arguments"] !== "string") fault("arguments that are no text")
      } else if (!(type === "custom" && isObject(custom))) fault(`a call of the type ${type}`)
    }
  })
  if (open.length > 0) fault(`calls without answers: ${open.join()}`)
}
