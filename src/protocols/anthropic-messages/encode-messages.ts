import { isInstruction, type Message } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { unlessEmpty, type JsonObject } from "../open-document.ts"
import { instructionsAreWords, joinTurns, leadingInstructions, type Turn } from "../turns.ts"
import { endInWords } from "../claude/thinking.ts"
import { encodePart, markers } from "./encode-parts.ts"
import type { MessagesEncoding } from "./encoding.ts"
import { ownExtension, systemTurn } from "./extension.ts"
import { blockKind } from "./written-turns.ts"

type TurnRole = "user" | "assistant" | "system"

/** The instructions before the conversation, and the conversation in turns. */
export interface Conversation {
  readonly system: ReadonlyArray<JsonObject>
  readonly messages: ReadonlyArray<JsonObject>
}

/** The messages as this API wants them: instructions first and apart, then turns that alternate. */
export const encodeMessages = (messages: ReadonlyArray<Message>, encoding: MessagesEncoding): Conversation => {
  const head = leadingInstructions(messages, (message) => isInstruction(message) && !isOwnTurn(message))
  const system = head.flatMap((message) => encodeMessage(message, "system", encoding).content)
  const said = joined(
    messages.slice(head.length).map((message) => encodeMessage(message, roleOf(message, encoding), encoding))
  )
  endInWords(said, blockKind, encoding)
  const turns = joined(said)
  trimPrefill(turns.at(-1))
  return {
    system,
    messages: turns.map(({ role, content, more }) => ({ role, ...present({ content: unlessEmpty(content) }), ...more }))
  }
}

type MessagesTurn = Turn<TurnRole>

const joined = (turns: ReadonlyArray<MessagesTurn>) => joinTurns(turns, isSameSide, saysNothing)

/** Whether a message stood within the conversation as what it is. */
const isOwnTurn = ({ extensions }: Message): boolean => ownExtension(extensions)[systemTurn] === true

/** Instructions that follow each other may each hold for another time. */
const isSameSide = (one: MessagesTurn, other: MessagesTurn): boolean =>
  one.role === other.role && (one.role !== "system" || Object.keys({ ...one.more, ...other.more }).length === 0)

/** An instruction within the conversation may be about other things than words. */
const saysNothing = ({ content, more, role }: MessagesTurn): boolean =>
  content.length === 0 && (role !== "system" || Object.keys(more).length === 0)

const encodeMessage = (message: Message, role: TurnRole, encoding: MessagesEncoding): Turn<TurnRole> => {
  if (message.name !== undefined) encoding.dropped("the name of a message")
  const { [systemTurn]: _, ...more } = markers(message, encoding)
  return { role, content: message.parts.flatMap((part) => encodePart(part, encoding)), more }
}

/**
 * Instructions in the middle of a conversation are known to newer models only. Who gave them in this format knows that the
 * model takes them; from elsewhere they stand at the same place in the user's words, as every model understands them.
 */
const roleOf = (message: Message, encoding: MessagesEncoding): TurnRole => {
  if (!isInstruction(message)) return message.role === "assistant" ? "assistant" : "user"
  if (isOwnTurn(message)) return "system"
  encoding.add("emulated", instructionsAreWords)
  return "user"
}

/** The beginning of an answer that the model is to continue must not end with white space. */
const trimPrefill = (last: Turn<TurnRole> | undefined): void => {
  const block = last?.role === "assistant" ? last.content.at(-1) : undefined
  if (last === undefined || block?.["type"] !== "text") return
  last.content[last.content.length - 1] = { ...block, text: String(block["text"]).trimEnd() }
}
