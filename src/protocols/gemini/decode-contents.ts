import type { Message, Part } from "../../domain/LlmRequest.ts"
import { withOpenedCalls } from "../CallOrigin.ts"
import { messagesOfTurn } from "../turns.ts"
import { CallLedger } from "./call-ledger.ts"
import { decodePart } from "./decode-parts.ts"
import { extended } from "./extension.ts"
import { geminiId, type Content, type GenerateContentRequest } from "./wire.ts"

/** The conversation with its instruction, which has no place of its own in the canonical request. */
export const decodeContents = ({ systemInstruction, contents }: GenerateContentRequest): ReadonlyArray<Message> => {
  const calls = new CallLedger()
  const system: ReadonlyArray<Message> =
    systemInstruction === undefined
      ? []
      : [{ role: "system", parts: partsOf(systemInstruction, calls), ...extended(systemInstruction.rest) }]
  return [...system, ...joined(contents.flatMap((content) => decodeContent(content, calls)))]
}

/**
 * What the model said in one turn, as one message: clients that stream give every chunk back as a content of its own. The
 * pieces of one text or thought are put together again.
 */
const joined = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const turns: Array<Message & { readonly parts: Array<Part> }> = []
  for (const message of messages) {
    const last = turns.at(-1)
    const goesOn = last?.role === "assistant" && message.role === "assistant" && message.extensions === undefined
    if (goesOn) join(last.parts, message.parts)
    else turns.push({ ...message, parts: [...message.parts] })
  }
  return turns
}

const join = (parts: Array<Part>, [next, ...others]: ReadonlyArray<Part>): void => {
  if (next === undefined) return
  const last = parts.at(-1)
  const whole = last === undefined ? undefined : joinPieces(last, next)
  // The end of a stream is an empty text.
  const empty = next._tag === "Text" && next.text === "" && next.extensions === undefined
  if (whole !== undefined) parts[parts.length - 1] = whole
  else if (!empty) parts.push(next)
  // One by one: what is spread has to have room on the stack.
  for (const part of others) parts.push(part)
}

/** Two pieces as one, where the second goes on with the first. What is signed is complete. */
const joinPieces = (first: Part, second: Part): Part | undefined => {
  if (first._tag === "Text" && second._tag === "Text") {
    const plain = first.extensions === undefined && second.extensions === undefined
    return plain ? { ...first, text: first.text + second.text } : undefined
  }
  if (first._tag !== "Reasoning" || second._tag !== "Reasoning") return undefined
  const open = first.signature === undefined && first.extensions === undefined && second.redacted === undefined
  return open ? { ...second, text: first.text + second.text } : undefined
}

const partsOf = ({ parts = [] }: Content, calls: CallLedger): ReadonlyArray<Part> => {
  const decoded: Array<Part> = []
  for (const part of parts.map((part) => decodePart(part, calls))) {
    const last = decoded.at(-1)
    const whole = last === undefined || !isSeal(part) ? undefined : joinPieces(last, part)
    if (whole === undefined) decoded.push(part)
    else decoded[decoded.length - 1] = whole
  }
  return decoded
}

/** The proof that ended thoughts of another format's provider, in a part of its own because they were streamed. */
const isSeal = (part: Part): boolean => part._tag === "Reasoning" && part.text === "" && part.origin !== geminiId

/** One turn as the messages it stands for; encoding joins them again. */
const decodeContent = (content: Content, calls: CallLedger): ReadonlyArray<Message> => {
  const parts = partsOf(content, calls)
  const kept = extended(content.rest)
  if (content.role === "model") return [{ role: "assistant", parts: withOpenedCalls(parts), ...kept }]
  const [first, ...others] = messagesOfTurn(parts)
  return [{ ...first, ...kept }, ...others]
}
