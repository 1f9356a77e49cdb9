import { Base64 } from "effect/encoding"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import type { LlmRequest, Message, ToolCallPart } from "../../domain/LlmRequest.ts"
import { geminiId } from "../../protocols/gemini/wire.ts"
import type { JsonObject } from "../../protocols/open-document.ts"
import { openAiChatId } from "../../protocols/openai-chat/wire.ts"
import { simulatedOrigin, type Script } from "./Script.ts"

/** Where the signature of a call stands, in the formats that have a place for it, and where there is no format. */
const places: { readonly [protocol: string]: (signature: string) => JsonObject } = {
  [geminiId]: (thoughtSignature) => ({ thoughtSignature }),
  [simulatedOrigin]: (signature) => ({ signature }),
  [openAiChatId]: (signature) => ({ extra_content: { google: { thought_signature: signature } } })
}

/** What stands in the place of a signature where none was given: the call was made by somebody else. */
const excuse = "skip_thought_signature_validator"

const signatureOf = ({ id, name }: { readonly id: string; readonly name: string }): string =>
  Base64.encode(`simulated call ${name} ${id}`)

/** A script whose calls are signed as models sign them that want their signatures back: the first one of every answer. */
export const withSignedCalls = (script: Script, protocol: string): Script => {
  const place = places[protocol]
  if (place === undefined) return script
  const signed = new Set<number>()
  const sign = (event: LlmEvent): LlmEvent => {
    if (event._tag !== "ToolInputStart" || signed.has(event.choice ?? 0)) return event
    signed.add(event.choice ?? 0)
    return { ...event, origin: { protocol, value: place(signatureOf(event)) } }
  }
  return { ...script, steps: script.steps.map((step) => ({ ...step, events: step.events.map(sign) })) }
}

/** Why such a model refuses a request: the first call of a message since the user last spoke has not its signature. */
export const unsignedCall = ({ messages }: LlmRequest, protocol: string): LlmError | undefined => {
  const place = places[protocol]
  if (place === undefined) return undefined
  const isSigned = (call: ToolCallPart): boolean =>
    [signatureOf(call), excuse].some((signature) => holds(call.extensions?.[protocol], place(signature)))
  const call = messages
    .slice(messages.findLastIndex(({ role }) => role === "user") + 1)
    .map(firstCall)
    .find((call) => call !== undefined && !isSigned(call))
  return call === undefined
    ? undefined
    : failure(
        { _tag: "InvalidRequest", kind: "semantic", path: "contents" },
        `the call of ${call.name} lacks the signature that it was given with`
      )
}

const firstCall = ({ parts }: Message): ToolCallPart | undefined => parts.find((part) => part._tag === "ToolCall")

const holds = (kept: JsonObject | undefined, wanted: JsonObject): boolean =>
  Object.entries(wanted).every(([key, value]) => JSON.stringify(kept?.[key]) === JSON.stringify(value))
