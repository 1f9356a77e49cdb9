import type { LlmRequest, Part, ReasoningPart, ToolCallPart } from "../domain/LlmRequest.ts"
import { callProof } from "./CallOrigin.ts"
import { proofFor } from "./SealedReasoning.ts"

/**
 * A request for a server of the format `own` that is a Millrace itself: proofs of other formats are sealed for it as they
 * would be for a caller, since it may have a provider behind it that takes them back.
 */
export const sealedFor = (own: string, request: LlmRequest): LlmRequest => ({
  ...request,
  messages: request.messages.map((message) => ({
    ...message,
    parts: message.parts.flatMap((part) => sealedParts(own, part))
  }))
})

const sealedParts = (own: string, part: Part): ReadonlyArray<Part> => {
  if (part._tag === "Reasoning") return [sealedThought(own, part)]
  return part._tag === "ToolCall" ? [...sealsOf(own, part), part] : [part]
}

/** What other formats said of a call, as thoughts before it. */
const sealsOf = (own: string, { id, extensions }: ToolCallPart): ReadonlyArray<Part> =>
  Object.entries(extensions ?? {}).flatMap(([protocol, value]) => {
    const proof = callProof({ id, origin: { protocol, value } }, own)
    return proof === undefined ? [] : [{ _tag: "Reasoning", text: "", ...proof } as const]
  })

const sealedThought = (own: string, part: ReasoningPart): ReasoningPart => {
  // What a server of the format passed on from elsewhere is its own to take back: `openai-chat/anthropic-claude-v1`.
  const itsOwn = part.origin === own || part.origin?.startsWith(`${own}/`) === true
  const seal = itsOwn ? undefined : proofFor(own, part)
  if (seal === undefined) return part
  const { text, redacted } = part
  return {
    _tag: "Reasoning",
    text,
    origin: own,
    ...(redacted === undefined ? { signature: seal } : { redacted: seal })
  }
}
