import { isInstruction, type Message } from "../../domain/LlmRequest.ts"
import type { JsonObject } from "../open-document.ts"
import { instructionsAreWords, joinTurns, type Turn } from "../turns.ts"
import { encodePart } from "./encode-parts.ts"
import type { GeminiEncoding } from "./encoding.ts"
import { signFirstCall } from "./unsigned-calls.ts"

interface GeminiTurn extends Turn<"user" | "model"> {
  /** whether it is what functions answered, which stands alone: what the user says beside it is a turn of its own */
  readonly answers: boolean
}

/** The instruction, and the conversation in turns. */
export interface Contents {
  readonly system: JsonObject | undefined
  readonly contents: ReadonlyArray<JsonObject>
}

/**
 * The messages as this API wants them: the instruction first and apart, then turns. The answers of functions that were called
 * together have to stand together, and alone.
 */
export const encodeContents = (messages: ReadonlyArray<Message>, encoding: GeminiEncoding): Contents => {
  const { takesInstructions, wantsSignatures } = encoding.traits
  const start = takesInstructions ? messages.findIndex((message) => !isInstruction(message)) : 0
  const head = start < 0 ? messages : messages.slice(0, start)
  const instructions = head.map((message) => encodeMessage(message, "user", encoding))
  const said = messages.slice(head.length).flatMap((message) => {
    const turn = encodeMessage(message, roleOf(message, encoding), encoding)
    return turn.answers ? [turn] : [shown(encoding), turn]
  })
  const turns = joinTurns([...said, shown(encoding)], isSameSide)
  if (wantsSignatures) for (const { role, content } of turns) if (role === "model") signFirstCall(content, encoding)
  return {
    system: instructionOf(instructions),
    contents: turns.map(({ role, content, more }) => ({ role, parts: content, ...more }))
  }
}

const isSameSide = (one: GeminiTurn, other: GeminiTurn): boolean =>
  one.role === other.role && one.answers === other.answers

/** What functions answered beside words, where it has to follow their answers. */
const shown = (encoding: GeminiEncoding): GeminiTurn => ({
  role: "user",
  answers: false,
  content: [...encoding.takeShown()],
  more: {}
})

const instructionOf = (turns: ReadonlyArray<GeminiTurn>): JsonObject | undefined => {
  const parts = turns.flatMap((turn) => turn.content)
  return parts.length === 0 ? undefined : { parts, ...Object.assign({}, ...turns.map((turn) => turn.more)) }
}

const encodeMessage = (message: Message, role: GeminiTurn["role"], encoding: GeminiEncoding): GeminiTurn => {
  const more = encoding.nameless(message)
  const content = message.parts.flatMap((part) => encodePart(part, encoding))
  return { role, answers: message.role === "tool", content, more }
}

const roleOf = (message: Message, encoding: GeminiEncoding): GeminiTurn["role"] => {
  if (isInstruction(message)) {
    encoding.add(
      "emulated",
      encoding.traits.takesInstructions ? instructionsAreWords : "the model takes instructions as words of the user"
    )
  }
  return message.role === "assistant" ? "model" : "user"
}
