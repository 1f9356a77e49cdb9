import { list, nameFaults, text, unique, type Check } from "./faults.ts"

/** What OpenAI refuses of a request of the Responses API. */
export const responses: Check = (body, fault) => {
  const input = typeof body["input"] === "string" ? [] : list(body["input"])
  const calls = new Map<unknown, unknown>()
  const answered = new Set<unknown>()
  const ids: Array<unknown> = []
  const prefixes: { readonly [type: string]: string } = {
    function_call: "fc",
    custom_tool_call: "ct",
    reasoning: "rs",
    message: "msg",
    web_search_call: "ws",
    function_call_output: "fc"
  }
  input.forEach((item, at) => {
    const { type = "message", call_id, id, role } = item
    const prefix = prefixes[text(type)]
    if (typeof id === "string") {
      ids.push(id)
      if (prefix !== undefined && !id.startsWith(prefix)) fault(`input[${at}] has the id ${id}`)
      if (id.length > 64) fault(`input[${at}] has a long id`)
    }
    if (text(type).endsWith("_call") && typeof call_id === "string") {
      if (call_id === "" || call_id.length > 64) fault(`the call id ${call_id}`)
      if (calls.has(call_id)) fault(`the call id ${call_id} twice`)
      calls.set(call_id, type)
      if (/^(function|custom_tool)_call$/.test(text(type))) nameFaults(item["name"], fault)
    }
    if (text(type).endsWith("_call_output")) {
      if (`${calls.get(call_id)}_output` !== type) fault(`input[${at}] answers no call: ${call_id}`)
      answered.add(call_id)
      const { output } = item
      if (/^(function|custom_tool)_call_output$/.test(text(type)) && Array.isArray(output) && output.length === 0)
        fault(`input[${at}] has an empty list`)
    }
    if (type === "reasoning") {
      if (!Array.isArray(item["summary"])) fault(`input[${at}] has no summary`)
      if (typeof item["encrypted_content"] !== "string" && typeof id !== "string" && !Array.isArray(item["content"]))
        fault(`input[${at}] proves nothing`)
    }
    if (type === "message") {
      const own = role === "assistant" ? /^(output_text|refusal)$/ : /^(input_text|input_image|input_file|input_audio)$/
      if (Array.isArray(item["content"]) && item["content"].length === 0) fault(`input[${at}] is empty`)
      for (const piece of list(item["content"])) {
        if (!own.test(text(piece["type"]))) fault(`input[${at}] of the ${role} has a ${piece["type"]}`)
      }
    }
  })
  for (const [id, type] of calls) {
    if (/^(function|custom_tool|local_shell|shell|apply_patch)_call$/.test(text(type)) && !answered.has(id))
      fault(`no answer to ${id}`)
  }
  unique(ids, fault)
}
