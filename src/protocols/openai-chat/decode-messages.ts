import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { Message, Part, ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { present } from "../open-document.ts"
import { decodeContent } from "./decode-parts.ts"
import { extended, marked } from "./extension.ts"
import { decodeReasoning } from "./reasoning-details.ts"
import { openAiChatId, type RequestMessage, type RequestToolCall } from "./wire.ts"

/** Why a message is refused that is a message by its form. */
export const messageFault = (messages: ReadonlyArray<RequestMessage>): LlmError | undefined => {
  let called = false
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    const { role, content } = message
    if (role === "assistant") called ||= (message.tool_calls?.length ?? 0) > 0
    else if (role !== "function" && (content === undefined || content === null)) {
      return fault(`${at}.content`, `${at}.content is required for the role ${role}`)
    }
    if (role === "tool" && !message.tool_call_id) return fault(`${at}.tool_call_id`, `${at}.tool_call_id is required`)
    if (role === "tool" && !called) {
      return failure(
        { _tag: "InvalidRequest", kind: "semantic", path: `${at}.role` },
        `${at}: a message of the role tool has to answer a tool call of an earlier message`
      )
    }
    if (role === "function" && !message.name) return fault(`${at}.name`, `${at}.name is required`)
  }
  return undefined
}

const fault = (path: string, message: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind: "type", path }, message)

/** The conversation. Calls of the API's first days have no id: each gets one, and the result that follows it the same. */
export const decodeMessages = (messages: ReadonlyArray<RequestMessage>): ReadonlyArray<Message> => {
  let nameless = ""
  return messages.map((message, index): Message => {
    if (message.function_call && !message.tool_calls?.length) nameless = `call_${index}`
    const { role } = message
    const kept = extended(message.rest)
    if (role === "tool") return { role, parts: [toolResult(message, message.tool_call_id ?? "")], ...kept }
    if (role === "function") return { role: "tool", parts: [toolResult(message, nameless)], ...kept }
    const parts = role === "assistant" ? assistantParts(message, nameless) : decodeContent(message.content)
    return { role, parts, ...present({ name: message.name }), ...kept }
  })
}

const assistantParts = (message: RequestMessage, nameless: string): ReadonlyArray<Part> => {
  const { content, refusal, tool_calls: calls, function_call: call } = message
  return [
    ...decodeReasoning(message),
    ...decodeContent(content),
    ...(refusal ? [{ _tag: "Refusal", text: refusal } as const] : []),
    ...(calls ?? []).map(toolCall),
    ...(call && !calls?.length ? [callOf(nameless, call.name, call.arguments)] : [])
  ]
}

const callOf = (id: string, name: string, text: string | null | undefined): ToolCallPart => ({
  _tag: "ToolCall",
  id,
  name,
  arguments: text || "{}"
})

const toolCall = (call: RequestToolCall): Part => {
  switch (call.type) {
    case "function":
      return { ...callOf(call.id, call.function.name, call.function.arguments), ...extended(call.rest) }
    case "custom": {
      const { name, input } = call.custom
      return { ...callOf(call.id, name, JSON.stringify({ input })), ...marked({ ...call.rest, custom: true }) }
    }
    case undefined:
      return { _tag: "Opaque", protocol: openAiChatId, value: call.raw }
  }
}

const toolResult = ({ content, name }: RequestMessage, callId: string): ToolResultPart => ({
  _tag: "ToolResult",
  callId,
  ...present({ name }),
  // A refusal is nothing that a tool says.
  content: decodeContent(content).filter((part) => part._tag !== "Refusal")
})
