import type { Message, Part } from "../../domain/LlmRequest.ts"
import type { Encoding } from "../Encoding.ts"
import { dropBlock } from "../foreign-blocks.ts"

const labels = { system: "", developer: "", user: "User: ", assistant: "Assistant: ", tool: "User: " }

/** What the model must not write itself where turns are labelled: the next turn of the user. */
export const nextTurn = "\n\nUser:"

/** A conversation as the text that a model is to go on with; `labelled` says whether its turns are marked. */
export interface Prompt {
  readonly text: string
  readonly labelled: boolean
}

/**
 * Renders a conversation as plain text. One message of the user alone is its text as it is, for models that only go on
 * with what they read. Anything else is turns with an empty line between them: instructions bare, what was said after
 * `User: ` or `Assistant: `, and at the end `Assistant:` for the answer. A beginning of the answer that the caller wrote
 * comes last, and the model goes on with it.
 */
export const renderPrompt = (messages: ReadonlyArray<Message>, encoding: Encoding): Prompt => {
  const turns = messages.map((message) => ({ role: message.role, text: textOf(message, encoding) }))
  const [first] = turns
  if (first?.role === "user" && turns.length === 1) return { text: first.text, labelled: false }
  encoding.add("emulated", "the conversation is sent as one text with labelled turns")
  const text = turns.map((turn) => labels[turn.role] + turn.text).join("\n\n")
  return { text: turns.at(-1)?.role === "assistant" ? text.trimEnd() : `${text}\n\nAssistant:`, labelled: true }
}

const textOf = (message: Message, encoding: Encoding): string => {
  encoding.nameless(message)
  return message.parts.flatMap((part) => textsOf(part, encoding)).join(message.role === "assistant" ? "" : "\n")
}

const textsOf = (part: Part, encoding: Encoding): ReadonlyArray<string> => {
  switch (part._tag) {
    case "Text":
      encoding.unmarked(part)
      return [part.text]
    case "Refusal":
      return [part.text]
    case "Reasoning":
      encoding.dropped("reasoning of an earlier turn")
      return []
    case "Media":
      encoding.unsupported(part.kind === "image" ? "images" : part.kind === "audio" ? "audio input" : "files")
      return []
    case "ToolCall":
    case "ToolResult":
      encoding.unsupported("tools")
      return []
    case "Opaque":
      dropBlock(part, encoding)
      return []
  }
}
