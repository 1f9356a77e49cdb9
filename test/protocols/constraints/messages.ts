import { isObject, type JsonObject } from "../../../src/protocols/open-document.ts"
import { list, nameFaults, same, text, unique, type Check } from "./faults.ts"

/** What Anthropic refuses of a request of the Messages API. */
export const messages: Check = (body, fault) => {
  const turns = list(body["messages"])
  const ids: Array<unknown> = []
  const thinking = isObject(body["thinking"]) ? body["thinking"]["type"] : undefined
  let markers = 0
  const blocksOf = (turn: JsonObject | undefined) =>
    typeof turn?.["content"] === "string" ? [{ type: "text", text: turn["content"] }] : list(turn?.["content"])
  const mark = (block: JsonObject) => {
    if (block["cache_control"] !== undefined) markers++
    if (block["type"] === "tool_result") list(block["content"]).forEach(mark)
  }
  list(body["system"]).forEach(mark)
  list(body["tools"]).forEach(mark)
  unique(
    list(body["tools"]).map(({ name }) => name),
    fault
  )
  if (turns[0]?.["role"] !== "user") fault("the user does not begin")
  turns.forEach((turn, at) => {
    const blocks = blocksOf(turn)
    if (blocks.length === 0) fault(`messages[${at}] is empty`)
    blocks.forEach(mark)
    const results = blocks.filter(({ type }) => type === "tool_result").map(({ tool_use_id }) => tool_use_id)
    const calls = blocksOf(turns[at - 1])
      .filter(({ type }) => type === "tool_use")
      .map(({ id }) => id)
    if (!same(results, turn["role"] === "user" ? calls : []))
      fault(`messages[${at}] answers ${results.join()} of ${calls.join()}`)
    let served = 0
    blocks.forEach((block, index) => {
      const { type, id } = block
      const where = `messages[${at}].content[${index}]`
      switch (type) {
        case "text":
          if (text(block["text"]).trim() === "") fault(`${where} is blank`)
          return
        case "thinking":
          if (text(block["signature"]) === "" || turn["role"] !== "assistant") fault(`${where} proves nothing`)
          if (index === blocks.length - 1) fault(`${where}: thinking at the end`)
          return
        case "redacted_thinking":
          if (index === blocks.length - 1) fault(`${where}: thinking at the end`)
          return
        case "tool_use":
          if (turn["role"] !== "assistant") fault(`${where} is a call of the user`)
          if (!/^[a-zA-Z0-9_-]+$/.test(text(id))) fault(`${where} has the id ${id}`)
          ids.push(id)
          nameFaults(block["name"], fault, /^[a-zA-Z0-9_-]{1,128}$/)
          if (!isObject(block["input"])) fault(`${where} has no input`)
          return
        case "tool_result":
          if (blocks.slice(0, index).some(({ type }) => type !== "tool_result")) fault(`${where} is not first`)
          return
        case "server_tool_use":
        case "mcp_tool_use":
          if (turn["role"] !== "assistant") fault(`${where} is a call of the user`)
          served++
          return
        default:
          if (text(type).endsWith("_tool_result")) {
            // Recordings have other ids than those that the provider gave.
            if (served-- <= 0) fault(`${where} answers no call`)
          } else if (
            !/^(image|document|search_result|compaction|container_upload|fallback|advisor_\w+)$/.test(text(type))
          )
            fault(`${where} is a ${type}`)
      }
    })
  })
  const last = blocksOf(turns.at(-1)).at(-1)
  if (turns.at(-1)?.["role"] === "assistant" && text(last?.["text"]) !== text(last?.["text"]).trimEnd())
    fault("a prefill with white space")
  if (markers > 4) fault(`${markers} cache markers`)
  if (thinking === "enabled") {
    const lastUser = turns.findLastIndex(
      (turn) => turn["role"] === "user" && !blocksOf(turn).some(({ type }) => type === "tool_result")
    )
    const first = blocksOf(turns[lastUser + 1])[0]
    if (turns.length > lastUser + 1 && first !== undefined && !text(first["type"]).endsWith("thinking"))
      fault("a call without its thoughts")
  }
  unique(ids, fault)
}
