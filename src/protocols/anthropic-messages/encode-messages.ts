import { isInstruction, type Message } from "../../domain/LlmRequest.ts"
import type { Encoding } from "../Encoding.ts"
import type { JsonObject } from "../open-document.ts"
import { encodePart, markers } from "./encode-parts.ts"
import { ownExtension, systemTurn } from "./extension.ts"

type TurnRole = "user" | "assistant" | "system"

interface Turn {
  readonly role: TurnRole
  readonly content: Array<JsonObject>
  more: JsonObject
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
export const encodeMessages = (messages: ReadonlyArray<Message>, encoding: Encoding): Conversation => {
  const start = messages.findIndex((message) => !isInstruction(message))
  // A conversation of nothing but instructions would be empty: the last of them is what is asked.
  const head = messages.slice(0, start)
  const system = head.flatMap((message) => encodeMessage(message, "system", encoding).content)
  const turns: Array<Turn> = []
  for (const message of messages.slice(head.length)) {
    const turn = encodeMessage(message, roleOf(message, encoding), encoding)
    const last = turns.at(-1)
    if (turn.content.length === 0) continue
    if (last?.role !== turn.role) turns.push(turn)
    else {
      last.content.push(...turn.content)
      last.more = { ...last.more, ...turn.more }
    }
  }
  trimPrefill(turns.at(-1))
  return { system, messages: turns.map(({ role, content, more }) => ({ role, content, ...more })) }
}

const encodeMessage = (message: Message, role: TurnRole, encoding: Encoding): Turn => {
  if (message.name !== undefined) encoding.dropped("the name of a message")
  const { [systemTurn]: _, ...more } = markers(message, encoding)
  return { role, content: message.parts.flatMap((part) => encodePart(part, encoding)), more }
}

/**
 * Instructions in the middle of a conversation are known to newer models only. Who gave them in this format knows that the
 * model takes them; from elsewhere they stand at the same place in the user's words, as every model understands them.
 */
const roleOf = (message: Message, encoding: Encoding): TurnRole => {
  if (!isInstruction(message)) return message.role === "assistant" ? "assistant" : "user"
  if (ownExtension(message.extensions)[systemTurn] === true) return "system"
  encoding.add("emulated", "instructions within the conversation are sent as words of the user")
  return "user"
}

/** The beginning of an answer that the model is to continue must not end with white space. */
const trimPrefill = (last: Turn | undefined): void => {
  const block = last?.role === "assistant" ? last.content.at(-1) : undefined
  if (last === undefined || block?.["type"] !== "text") return
  last.content[last.content.length - 1] = { ...block, text: String(block["text"]).trimEnd() }
}
