import type { ToolCallPart } from "../../domain/LlmRequest.ts"
import { callFields, callSeal, openedCall } from "../CallOrigin.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { isSealed } from "../SealedReasoning.ts"
import { extended } from "./extension.ts"
import { openAiChatId } from "./wire.ts"

type Call = Parameters<typeof callSeal>[0]

/**
 * What a caller is told of a call beyond what every format says. What another format's provider wants back with the call
 * stands sealed where Google's own server of this API puts signatures, `extra_content.google.thought_signature`: clients
 * that send messages back as they came keep it, and there are clients that know just this field.
 */
export const callExtras = (call: Call): JsonObject => {
  const seal = callSeal(call, openAiChatId)
  return seal === undefined
    ? callFields(call, openAiChatId)
    : { extra_content: { google: { thought_signature: seal } } }
}

/** The seal that a call was given. */
export const sealOfCall = ({ extra_content: extra }: JsonObject): string | undefined => {
  const google = fieldsOf(extra)["google"]
  const signature = fieldsOf(google)["thought_signature"]
  return typeof signature === "string" && isSealed(signature) ? signature : undefined
}

/** A call of a caller with what else was said of it, out of its seal where that is in one. */
export const withExtras = (part: ToolCallPart, rest: JsonObject | undefined): ToolCallPart => {
  const seal = sealOfCall(rest ?? {})
  if (seal === undefined) return { ...part, ...extended(rest) }
  const { extra_content: _, ...more } = rest ?? {}
  return openedCall({ ...part, ...extended(more) }, seal)
}

/** A call as a server of this format may get it: without a seal, which none of them could read. */
export const withoutSeal = (call: JsonObject): JsonObject => {
  if (sealOfCall(call) === undefined) return call
  const { extra_content: _, ...others } = call
  return others
}
