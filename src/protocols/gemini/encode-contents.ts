import { isInstruction, type Message } from "../../domain/LlmRequest.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { encodePart } from "./encode-parts.ts"
import type { GeminiEncoding } from "./encoding.ts"

interface Turn {
  readonly role: "user" | "model"
  /** whether it is what functions answered, which stands alone: what the user says beside it is a turn of its own */
  readonly answers: boolean
  readonly parts: Array<JsonObject>
  more: JsonObject
}

/** The instruction, and the conversation in turns. */
export interface Contents {
  readonly system: JsonObject | undefined
  readonly contents: ReadonlyArray<JsonObject>
}

/**
 * The messages as this API wants them: the instruction first and apart, then turns. Messages of one side that follow each
 * other are one turn, because the answers of functions that were called together have to stand together, and alone.
 */
export const encodeContents = (messages: ReadonlyArray<Message>, encoding: GeminiEncoding): Contents => {
  const { takesInstructions, wantsSignatures } = encoding.traits
  const start = takesInstructions ? messages.findIndex((message) => !isInstruction(message)) : 0
  const head = start < 0 ? messages : messages.slice(0, start)
  const instructions = head.map((message) => encodeMessage(message, "user", encoding))
  const turns = new Turns()
  for (const message of messages.slice(head.length)) {
    const turn = encodeMessage(message, roleOf(message, encoding), encoding)
    if (!turn.answers) turns.show(encoding)
    turns.add(turn)
  }
  turns.show(encoding)
  if (wantsSignatures) for (const turn of turns.list) signFirstCall(turn, encoding)
  return {
    system: instructionOf(instructions),
    contents: turns.list.map(({ role, parts, more }) => ({ role, parts, ...more }))
  }
}

class Turns {
  readonly list: Array<Turn> = []

  add(turn: Turn): void {
    const last = this.list.at(-1)
    if (turn.parts.length === 0) return
    if (last?.role !== turn.role || last.answers !== turn.answers) this.list.push(turn)
    else {
      last.parts.push(...turn.parts)
      last.more = { ...last.more, ...turn.more }
    }
  }

  /** Adds what functions answered beside words, where it has to follow their answers. */
  show(encoding: GeminiEncoding): void {
    this.add({ role: "user", answers: false, parts: [...encoding.takeShown()], more: {} })
  }
}

const instructionOf = (turns: ReadonlyArray<Turn>): JsonObject | undefined => {
  const parts = turns.flatMap((turn) => turn.parts)
  return parts.length === 0 ? undefined : { parts, ...Object.assign({}, ...turns.map((turn) => turn.more)) }
}

const encodeMessage = (message: Message, role: Turn["role"], encoding: GeminiEncoding): Turn => {
  const more = encoding.nameless(message)
  const parts = message.parts.flatMap((part) => encodePart(part, encoding))
  return { role, answers: message.role === "tool", parts, more }
}

const late = "instructions within the conversation are sent as words of the user"

const roleOf = (message: Message, encoding: GeminiEncoding): Turn["role"] => {
  if (isInstruction(message)) {
    encoding.add(
      "emulated",
      encoding.traits.takesInstructions ? late : "the model takes instructions as words of the user"
    )
  }
  return message.role === "assistant" ? "model" : "user"
}

/** What the API itself names for calls that no model of its own made. */
const noSignature = "skip_thought_signature_validator"

/** The first call of a turn has to be signed; one that came from elsewhere says that it cannot be. */
const signFirstCall = ({ role, parts }: Turn, encoding: GeminiEncoding): void => {
  const index = role === "model" ? parts.findIndex((part) => isObject(part["functionCall"])) : -1
  const call = parts[index]
  if (call === undefined || call["thoughtSignature"] !== undefined) return
  parts[index] = { ...call, thoughtSignature: noSignature }
  encoding.add("emulated", "calls of an earlier turn were not signed by the target, which is told so")
}
