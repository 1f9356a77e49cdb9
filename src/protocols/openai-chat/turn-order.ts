import { fieldsOf, type JsonObject } from "../open-document.ts"
import type { ChatEncoding } from "./encoding.ts"

/** Whether somebody speaks twice in a row. */
export const repeatsRole = (messages: ReadonlyArray<unknown>): boolean =>
  messages.some((message, at) => isTurn(message) && roleOf(message) === roleOf(messages[at - 1]))

/** Whether the user speaks right after the results of tools. */
export const speaksAfterTools = (messages: ReadonlyArray<unknown>): boolean =>
  messages.some((message, at) => roleOf(message) === "user" && roleOf(messages[at - 1]) === "tool")

const roleOf = (message: unknown): unknown => fieldsOf(message)["role"]

const isTurn = (message: unknown): message is JsonObject =>
  roleOf(message) === "user" || roleOf(message) === "assistant"

/** Messages in an order that their server takes. */
export const inOrder = (messages: ReadonlyArray<JsonObject>, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
  const { alternatingTurns, noUserAfterTools } = encoding.quirks
  if (alternatingTurns === true && repeatsRole(messages)) return alternating(messages, encoding)
  return noUserAfterTools === true && speaksAfterTools(messages) ? bridged(messages, encoding) : messages
}

/** What one side says in several messages, in one. */
const alternating = (messages: ReadonlyArray<JsonObject>, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
  encoding.add("changed", "messages of one role in a row are one: the server would refuse them")
  const turns: Array<JsonObject> = []
  for (const message of messages) {
    const last = turns.at(-1)
    if (last === undefined || !isTurn(message) || roleOf(last) !== roleOf(message)) turns.push(message)
    else turns[turns.length - 1] = { ...last, ...message, content: bothOf(last["content"], message["content"]) }
  }
  return turns
}

type Content = JsonObject[string] | undefined

const bothOf = (one: Content, other: Content): JsonObject[string] =>
  typeof one === "string" && typeof other === "string" ? `${one}\n\n${other}` : [...partsOf(one), ...partsOf(other)]

const partsOf = (content: Content): ReadonlyArray<JsonObject[string]> =>
  Array.isArray(content)
    ? content
    : typeof content === "string" && content !== ""
      ? [{ type: "text", text: content }]
      : []

/** The model is made to have said the least that there is between what its tools found and what the user says to it. */
const bridged = (messages: ReadonlyArray<JsonObject>, encoding: ChatEncoding): ReadonlyArray<JsonObject> => {
  encoding.add("emulated", 'words of the user after results of tools: the model says "OK" in between')
  return messages.flatMap((message, at) =>
    speaksAfterTools(messages.slice(Math.max(0, at - 1), at + 1))
      ? [{ role: "assistant", content: "OK" }, message]
      : [message]
  )
}
