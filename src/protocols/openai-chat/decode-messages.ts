import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { Message, Part, Requirement, ToolCallPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { withOpenedCalls } from "../CallOrigin.ts"
import { argumentsOfText } from "../FreeText.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { withExtras } from "./call-extras.ts"
import { decodeContent } from "./decode-parts.ts"
import { extended } from "./extension.ts"
import { decodeReasoning } from "./reasoning-details.ts"
import { openAiChatId, type RequestMessage, type RequestToolCall } from "./wire.ts"

/** Why a message is refused that is a message by its form. */
export const messageFault = (messages: ReadonlyArray<RequestMessage>): LlmError | undefined => {
  let called = false
  let nameless = 0
  for (const [index, message] of messages.entries()) {
    const at = `messages[${index}]`
    const { role, content, tool_calls: calls } = message
    if (role === "assistant") {
      called ||= (calls?.length ?? 0) > 0
      nameless += (calls ?? []).filter((call) => idOf(call) === undefined).length
    } else if (role !== "function" && (content === undefined || content === null)) {
      return fault(`${at}.content`, `${at}.content is required for the role ${role}`)
    }
    if (role === "tool" && !called) {
      return failure(
        { _tag: "InvalidRequest", kind: "semantic", path: `${at}.role` },
        `${at}.role: a message of the role tool has to answer a tool call of an earlier message`
      )
    }
    if (role === "tool" && !message.tool_call_id && nameless-- === 0) {
      return fault(`${at}.tool_call_id`, `${at}.tool_call_id is required`)
    }
    if (role === "function" && !message.name) return fault(`${at}.name`, `${at}.name is required`)
  }
  return undefined
}

/** What of a conversation only its provider can tell: what the model said in a sound that is told by its id alone. */
export const storedSound = (messages: ReadonlyArray<RequestMessage>): Requirement | undefined => {
  const index = messages.findIndex(
    ({ content, refusal, tool_calls: calls, rest }) =>
      typeof fieldsOf(rest?.["audio"])["id"] === "string" && !content?.length && !refusal && !calls?.length
  )
  if (index < 0) return undefined
  const feature = `messages[${index}].audio`
  const message = `${feature} cannot be resolved here: only its provider holds it; send its transcript as content`
  return { protocol: openAiChatId, feature, message }
}

const idOf = (call: RequestToolCall): string | undefined =>
  call.type === undefined ? String(call.raw["id"] ?? "") || undefined : call.id || undefined

const fault = (path: string, message: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind: "type", path }, message)

/**
 * The conversation. Calls of the API's first days have no id, and some servers need none: each gets one here, and the
 * results without an id answer them in their order.
 */
export const decodeMessages = (messages: ReadonlyArray<RequestMessage>): ReadonlyArray<Message> => {
  const nameless: Array<string> = []
  const name = (index: number, at: number): string => {
    const id = `call_${index}_${at}`
    nameless.push(id)
    return id
  }
  return messages.map((message, index): Message => {
    const { role } = message
    const kept = extended(message.rest)
    if (role === "tool" || role === "function") {
      return { role: "tool", parts: [toolResult(message, message.tool_call_id || nameless.shift() || "")], ...kept }
    }
    if (role !== "assistant") {
      return { role, parts: decodeContent(message.content), ...present({ name: message.name }), ...kept }
    }
    const parts = assistantParts(message, (at) => name(index, at))
    return {
      role,
      parts,
      ...present({ name: message.name }),
      ...extended({ ...message.rest, ...emptyReasoning(message) })
    }
  })
}

/** There are servers that want the field back, whether there was reasoning or not. */
const emptyReasoning = ({ reasoning_content: text }: RequestMessage): JsonObject =>
  text === "" ? { reasoning_content: "" } : {}

const assistantParts = (message: RequestMessage, name: (at: number) => string): ReadonlyArray<Part> => {
  const { content, refusal, tool_calls: calls, function_call: call } = message
  return withOpenedCalls([
    ...decodeReasoning(message),
    ...decodeContent(content),
    ...(refusal ? [{ _tag: "Refusal", text: refusal } as const] : []),
    ...(calls ?? []).map((each, at) => toolCall(each, idOf(each) ?? name(at))),
    ...(call && !calls?.length ? [callOf(name(0), call.name, call.arguments)] : [])
  ])
}

const callOf = (id: string, name: string, text: string | null | undefined): ToolCallPart => ({
  _tag: "ToolCall",
  id,
  name,
  arguments: text || "{}"
})

const toolCall = (call: RequestToolCall, id: string): Part => {
  switch (call.type) {
    case "function":
      return withExtras(callOf(id, call.function.name, call.function.arguments), call.rest)
    case "custom": {
      const { name, input } = call.custom
      return withExtras({ ...callOf(id, name, argumentsOfText(input)), freeText: true }, call.rest)
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
