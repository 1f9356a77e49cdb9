import { isInstruction, type Message, type Part } from "../domain/LlmRequest.ts"
import type { JsonObject } from "./open-document.ts"

/** A turn of a conversation while it is made: what one side says, and the fields beside that. */
export interface Turn<Role extends string> {
  readonly role: Role
  readonly content: Array<JsonObject>
  more: JsonObject
}

/**
 * Turns that alternate: those of one side that follow each other are one, so that the results of several tools and what the
 * user says after them stand together. One that says nothing is none. The given turns are changed.
 */
export const joinTurns = <T extends Turn<string>>(
  turns: ReadonlyArray<T>,
  isSameSide = (one: T, other: T): boolean => one.role === other.role,
  saysNothing = (turn: T): boolean => turn.content.length === 0
): ReadonlyArray<T> => {
  const joined: Array<T> = []
  for (const turn of turns) {
    const last = joined.at(-1)
    if (saysNothing(turn)) continue
    if (last === undefined || !isSameSide(last, turn)) joined.push(turn)
    else {
      // One by one: what is spread has to have room on the stack.
      for (const piece of turn.content) last.content.push(piece)
      last.more = { ...last.more, ...turn.more }
    }
  }
  return joined
}

/**
 * The instructions before the conversation. A conversation of nothing but instructions would be empty: the last of them is
 * what is asked.
 */
export const leadingInstructions = (
  messages: ReadonlyArray<Message>,
  isApart: (message: Message) => boolean = isInstruction
): ReadonlyArray<Message> =>
  messages.slice(
    0,
    messages.findIndex((message) => !isApart(message))
  )

/** What is said of instructions that stand in the middle, for a model that knows none there. */
export const instructionsAreWords = "instructions within the conversation are sent as words of the user"

/**
 * The messages that a turn of the user stands for. It may hold the results of tools between other parts: each of them is a
 * message of its own, in the order of the parts. There is one at least.
 */
export const messagesOfTurn = (parts: ReadonlyArray<Part>): readonly [Message, ...ReadonlyArray<Message>] => {
  const messages: Array<{ readonly role: "user" | "tool"; readonly parts: Array<Part> }> = []
  for (const part of parts) {
    const role = part._tag === "ToolResult" ? "tool" : "user"
    const last = messages.at(-1)
    if (role === "user" && last?.role === "user") last.parts.push(part)
    else messages.push({ role, parts: [part] })
  }
  const [first = { role: "user", parts: [] }, ...others] = messages
  return [first, ...others]
}
