import { isInstruction, type LlmRequest, type Message } from "../../domain/LlmRequest.ts"

const begin: Message = { role: "user", parts: [{ _tag: "Text", text: "Begin." }] }

/**
 * A request whose conversation the user begins: Amazon Bedrock refuses one that the assistant begins, as a chat with a
 * greeting does. The same request where the user does.
 */
export const begunByUser = (request: LlmRequest, emulated: (message: string) => void): LlmRequest => {
  const { messages } = request
  const first = messages.findIndex((message) => !isInstruction(message))
  if (messages[first]?.role !== "assistant") return request
  emulated("a conversation that the assistant begins is sent with a word of the user before it")
  return { ...request, messages: [...messages.slice(0, first), begin, ...messages.slice(first)] }
}
