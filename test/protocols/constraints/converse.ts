import { isObject, type JsonObject } from "../../../src/protocols/open-document.ts"
import { list, nameFaults, same, text, unique, type Check } from "./faults.ts"

/** What Amazon Bedrock refuses of a request of the Converse API. */
export const converse: Check = (body, fault, model) => {
  const claude = model.includes("claude")
  const media = claude || model.includes("amazon.nova")
  const turns = list(body["messages"])
  const ids: Array<unknown> = []
  if (turns[0]?.["role"] !== "user") fault("the user does not begin")
  let tools = false
  turns.forEach(({ role, content }, at) => {
    const blocks = list(content)
    if (role === turns[at - 1]?.["role"]) fault(`messages[${at}] is of the same role`)
    if (blocks.length === 0) fault(`messages[${at}] is empty`)
    const usesOf = (some: ReadonlyArray<JsonObject>) =>
      some.flatMap(({ toolUse }) => (isObject(toolUse) ? [toolUse] : []))
    const uses = usesOf(blocks)
    const results = blocks.flatMap(({ toolResult }) => (isObject(toolResult) ? [toolResult] : []))
    const asked = usesOf(list(turns[at - 1]?.["content"]))
    tools ||= uses.length > 0 || results.length > 0
    if (
      !same(
        asked.map(({ toolUseId }) => toolUseId),
        results.map(({ toolUseId }) => toolUseId)
      )
    )
      fault(`messages[${at}] answers others`)
    for (const { toolUseId, name, input } of uses) {
      ids.push(toolUseId)
      if (!/^[a-zA-Z0-9_-]{1,64}$/.test(text(toolUseId))) fault(`the id ${toolUseId}`)
      nameFaults(name, fault)
      if (!isObject(input)) fault("no input")
    }
    for (const result of results) {
      if (!Array.isArray(result["content"])) fault("a result without content")
      if (!media && list(result["content"]).some((block) => "image" in block)) fault("an image in a result")
      if (!media && result["status"] !== undefined) fault("the status of a result")
    }
    if (!claude && blocks.some((block) => "reasoningContent" in block)) fault(`messages[${at}] tells thoughts`)
    if (role === "assistant" && "reasoningContent" in (blocks.at(-1) ?? {})) fault(`messages[${at}] ends in thoughts`)
    for (const block of blocks)
      if (typeof block["text"] === "string" && block["text"].trim() === "") fault(`messages[${at}] has a blank text`)
  })
  if (tools && !isObject(body["toolConfig"])) fault("no toolConfig")
  unique(ids, fault)
}
