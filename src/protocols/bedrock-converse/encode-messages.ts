import { isInstruction, type Message } from "../../domain/LlmRequest.ts"
import type { JsonObject } from "../open-document.ts"
import { instructionsAreWords, joinTurns, leadingInstructions, type Turn } from "../turns.ts"
import { encodePart } from "./encode-parts.ts"
import { endInWords, type BlockKind } from "../claude/thinking.ts"
import type { ConverseEncoding } from "./encoding.ts"

type TurnRole = "user" | "assistant"

/** The instructions before the conversation, and the conversation in turns. */
export interface Conversation {
  readonly system: ReadonlyArray<JsonObject>
  readonly messages: ReadonlyArray<JsonObject>
}

/** The messages as this API wants them: instructions first and apart, then turns that alternate. */
export const encodeMessages = (messages: ReadonlyArray<Message>, encoding: ConverseEncoding): Conversation => {
  const head = leadingInstructions(messages)
  const system = head.flatMap((message) => encodeMessage(message, encoding))
  const said = joinTurns(
    messages.slice(head.length).map((message) => ({
      role: roleOf(message, encoding),
      content: encodeMessage(message, encoding),
      more: {}
    }))
  )
  endInWords(said, blockKind, encoding)
  const turns = joinTurns(said)
  trimPrefill(turns.at(-1))
  for (const turn of turns) {
    if (encoding.traits.family === "other") turn.content.sort(resultsFirst)
    nameDocuments(turn, encoding)
  }
  return { system, messages: turns.map(({ role, content }) => ({ role, content })) }
}

/** What a block is to a model that thinks. */
export const blockKind = (block: JsonObject): BlockKind =>
  "reasoningContent" in block ? "thought" : "toolResult" in block ? "result" : "other"

const encodeMessage = (message: Message, encoding: ConverseEncoding): Array<JsonObject> => {
  encoding.nameless(message)
  return message.parts.flatMap((part) => encodePart(part, encoding))
}

/** Instructions in the middle of a conversation stand at the same place in the user's words. */
const roleOf = (message: Message, encoding: ConverseEncoding): TurnRole => {
  if (!isInstruction(message)) return message.role === "assistant" ? "assistant" : "user"
  encoding.add("emulated", instructionsAreWords)
  return "user"
}

/** The beginning of an answer that the model is to continue must not end with white space. */
const trimPrefill = (last: Turn<TurnRole> | undefined): void => {
  const text = last?.role === "assistant" ? last.content.at(-1)?.["text"] : undefined
  if (last !== undefined && typeof text === "string") last.content[last.content.length - 1] = { text: text.trimEnd() }
}

/** The results of tools are not parted by what had to be taken out of them. */
const resultsFirst = (one: JsonObject, other: JsonObject): number =>
  Number("toolResult" in other) - Number("toolResult" in one)

/** The API refuses documents that nothing is said about. */
const nameDocuments = ({ content }: Turn<TurnRole>, encoding: ConverseEncoding): void => {
  if (
    content.some((block) => "text" in block || "toolResult" in block) ||
    !content.some((block) => "document" in block)
  )
    return
  encoding.add("emulated", "a document without a word about it is sent with a text that points to it")
  content.push({ text: "See the document." })
}
