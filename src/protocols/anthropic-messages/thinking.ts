import type { OpaquePart, ReasoningPart } from "../../domain/LlmRequest.ts"
import { openedPart } from "../CallOrigin.ts"
import type { JsonObject } from "../open-document.ts"
import { isSealed, proofFor, type Proof } from "../SealedReasoning.ts"
import { anthropicMessagesId } from "./wire.ts"

/** The signature of thoughts as callers get it: as it is where this format's provider signed, else sealed. */
export const signatureOf = (proof: Proof): string | undefined => proofFor(anthropicMessagesId, proof)

/** The block that a stream of thoughts begins with: what proves them comes with the end. */
export const openingBlock = (proof: Proof): JsonObject =>
  proof.redacted === undefined ? { type: "thinking", thinking: "", signature: "" } : thinkingBlock("", proof)

/** The block of reasoning, whose proof callers send back in the next turn. */
export const thinkingBlock = (text: string, proof: Proof): JsonObject => {
  const { redacted, origin } = proof
  if (redacted === undefined) return { type: "thinking", thinking: text, signature: signatureOf(proof) ?? "" }
  const data = origin === anthropicMessagesId ? redacted : (proofFor(anthropicMessagesId, proof) ?? "")
  return { type: "redacted_thinking", data }
}

/** The thoughts that a caller sent back with their signature. A block may have none yet, or an empty one. */
export const decodeThinking = (text: string, signature: string | null | undefined): ReasoningPart | OpaquePart => {
  if (!signature) return { _tag: "Reasoning", text, origin: anthropicMessagesId }
  return isSealed(signature)
    ? openedPart(signature, text)
    : { _tag: "Reasoning", text, signature, origin: anthropicMessagesId }
}

/** The thoughts that a caller sent back encrypted. */
export const decodeRedacted = (redacted: string): ReasoningPart | OpaquePart =>
  isSealed(redacted) ? openedPart(redacted, "") : { _tag: "Reasoning", text: "", redacted, origin: anthropicMessagesId }

/** Whether a block is reasoning whose proof was sealed for the caller: no provider of this format could read it. */
export const isSealedBlock = ({ type, signature, data }: JsonObject): boolean => {
  const proof = type === "thinking" ? signature : type === "redacted_thinking" ? data : undefined
  return typeof proof === "string" && isSealed(proof)
}
