import { isInstruction, type Message } from "../../domain/LlmRequest.ts"
import type { JsonObject } from "../open-document.ts"
import { encodePart } from "./encode-parts.ts"
import type { ConverseEncoding } from "./encoding.ts"

interface Turn {
  readonly role: "user" | "assistant"
  readonly content: Array<JsonObject>
}

/** The instructions before the conversation, and the conversation in turns. */
export interface Conversation {
  readonly system: ReadonlyArray<JsonObject>
  readonly messages: ReadonlyArray<JsonObject>
}

/**
 * The messages as this API wants them: instructions first and apart, then turns that alternate. Messages of one side that
 * follow each other are one turn, so that the results of several tools and what the user says after them stand together.
 */
export const encodeMessages = (messages: ReadonlyArray<Message>, encoding: ConverseEncoding): Conversation => {
  const start = messages.findIndex((message) => !isInstruction(message))
  // A conversation of nothing but instructions would be empty: the last of them is what is asked.
  const head = messages.slice(0, start)
  const system = head.flatMap((message) => encodeMessage(message, encoding))
  const turns: Array<Turn> = []
  for (const message of messages.slice(head.length)) {
    const role = roleOf(message, encoding)
    const content = encodeMessage(message, encoding)
    if (content.length === 0) continue
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else turns.push({ role, content: [...content] })
  }
  trimPrefill(turns.at(-1))
  for (const turn of turns) nameDocuments(turn, encoding)
  return { system, messages: turns.map(({ role, content }) => ({ role, content })) }
}

const encodeMessage = (message: Message, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  encoding.nameless(message)
  return message.parts.flatMap((part) => encodePart(part, encoding))
}

/** Instructions in the middle of a conversation stand at the same place in the user's words. */
const roleOf = (message: Message, encoding: ConverseEncoding): Turn["role"] => {
  if (!isInstruction(message)) return message.role === "assistant" ? "assistant" : "user"
  encoding.add("emulated", "instructions within the conversation are sent as words of the user")
  return "user"
}

/** The beginning of an answer that the model is to continue must not end with white space. */
const trimPrefill = (last: Turn | undefined): void => {
  const text = last?.role === "assistant" ? last.content.at(-1)?.["text"] : undefined
  if (last !== undefined && typeof text === "string") last.content[last.content.length - 1] = { text: text.trimEnd() }
}

/** The API refuses documents that nothing is said about. */
const nameDocuments = ({ content }: Turn, encoding: ConverseEncoding): void => {
  if (
    content.some((block) => "text" in block || "toolResult" in block) ||
    !content.some((block) => "document" in block)
  )
    return
  encoding.add("emulated", "a document without a word about it is sent with a text that points to it")
  content.push({ text: "See the document." })
}
