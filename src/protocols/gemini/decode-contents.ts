import type { Message, Part } from "../../domain/LlmRequest.ts"
import { CallLedger } from "./call-ledger.ts"
import { decodePart } from "./decode-parts.ts"
import { extended } from "./extension.ts"
import type { Content, GenerateContentRequest } from "./wire.ts"

/** The conversation with its instruction, which has no place of its own in the canonical request. */
export const decodeContents = ({ systemInstruction, contents }: GenerateContentRequest): ReadonlyArray<Message> => {
  const calls = new CallLedger()
  const system: ReadonlyArray<Message> =
    systemInstruction === undefined
      ? []
      : [{ role: "system", parts: partsOf(systemInstruction, calls), ...extended(systemInstruction.rest) }]
  return [...system, ...contents.flatMap((content) => decodeContent(content, calls))]
}

const partsOf = ({ parts = [] }: Content, calls: CallLedger): ReadonlyArray<Part> =>
  parts.map((part) => decodePart(part, calls))

/**
 * One turn as the messages it stands for. The answers of functions stand in the user's turn, maybe between other parts:
 * each of them is a message of its own here, and encoding joins what belongs to one turn.
 */
const decodeContent = (content: Content, calls: CallLedger): ReadonlyArray<Message> => {
  const parts = partsOf(content, calls)
  const kept = extended(content.rest)
  if (content.role === "model") return [{ role: "assistant", parts, ...kept }]
  const messages: Array<{ role: "user" | "tool"; parts: Array<Part> }> = []
  for (const part of parts) {
    const role = part._tag === "ToolResult" ? "tool" : "user"
    const last = messages.at(-1)
    if (role === "user" && last?.role === "user") last.parts.push(part)
    else messages.push({ role, parts: [part] })
  }
  const [first = { role: "user", parts }, ...others] = messages
  return [{ ...first, ...kept }, ...others]
}
