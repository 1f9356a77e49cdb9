import { isInstruction, type LlmRequest, type Message } from "../../domain/LlmRequest.ts"

/** What is said of a conversation whose first turn is made up. */
export const beginIsMade = "a conversation that the assistant begins is sent with a word of the user before it"

const begin: Message = { role: "user", parts: [{ _tag: "Text", text: "Begin." }] }

/** Amazon Bedrock refuses a conversation that the assistant begins, as a chat with a greeting does. The same request where it does not. */
export const begunByUser = (request: LlmRequest, emulated: (message: string) => void): LlmRequest => {
  const { messages } = request
  const first = messages.findIndex((message) => !isInstruction(message))
  if (messages[first]?.role !== "assistant") return request
  emulated(beginIsMade)
  return { ...request, messages: [...messages.slice(0, first), begin, ...messages.slice(first)] }
}
