import type { Message } from "../../domain/LlmRequest.ts"

/**
 * The messages with what tools answered right behind the turn that called them. In this API it may stand behind what the user
 * said meanwhile, which no other takes. The same list where all of it is in its place.
 */
export const answersInPlace = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const late = lateAnswers(messages)
  if (late.size === 0) return messages
  const moved = new Set([...late.values()].flat())
  const placed: Array<Message> = []
  let due: ReadonlyArray<Message> = []
  for (const message of messages) {
    if (moved.has(message)) continue
    // First comes what was answered at once.
    if (message.role !== "tool") {
      for (const answer of due) placed.push(answer)
      due = late.get(message) ?? []
    }
    placed.push(message)
  }
  return placed.concat(due)
}

/** By the turn that made the call. */
const lateAnswers = (messages: ReadonlyArray<Message>): ReadonlyMap<Message, ReadonlyArray<Message>> => {
  const turns = new Map<string, Message>()
  const late = new Map<Message, Array<Message>>()
  let last: Message["role"] | undefined
  /** the last turn of the model */
  let latest: Message | undefined
  for (const message of messages) {
    const { role, parts } = message
    if (role === "assistant") {
      latest = message
      for (const part of parts) if (part._tag === "ToolCall") turns.set(part.id, message)
    }
    const [answer] = parts
    const turn = role === "tool" && answer?._tag === "ToolResult" ? turns.get(answer.callId) : undefined
    if (turn === undefined || (turn === latest && (last === "assistant" || last === "tool"))) {
      last = role
      continue
    }
    const answers = late.get(turn)
    if (answers === undefined) late.set(turn, [message])
    else answers.push(message)
  }
  return late
}
