import type { Sampling } from "../../domain/LlmRequest.ts"
import type { ClaudeTraits } from "./traits.ts"
import type { Notices } from "../Notices.ts"

/** How tokens are drawn, in the words of Claude's own API. */
export interface ClaudeDrawing {
  readonly temperature: number | undefined
  readonly top_p: number | undefined
  readonly top_k: number | undefined
}

/**
 * What a model takes of how tokens are to be drawn; the rest is said. What goes without saying is left out where it is
 * refused.
 */
export const claudeSampling = (
  { temperature, topP, topK }: Sampling,
  thinks: boolean,
  traits: ClaudeTraits,
  said: Notices
): ClaudeDrawing => {
  const left = (key: string, value: number | undefined, allowed: boolean, why: string, usual?: number) => {
    if (value === undefined || allowed) return value
    if (value !== usual) said.dropped(key, why)
    return undefined
  }
  const drawn = traits.sampling !== "none"
  const why = drawn ? "it cannot be set for a model that thinks" : "the model draws tokens in its own way"
  const heat = left("temperature", temperature, drawn && (!thinks || temperature === 1), why, 1)
  const mass = left("top_p", topP, drawn && (!thinks || (topP ?? 1) >= 0.95), why, 1)
  const twice = traits.sampling === "one" && heat !== undefined
  return {
    temperature: heat,
    top_p: left("top_p", mass, !twice, "the model takes temperature or top_p, not both", 1),
    top_k: left("top_k", topK, drawn && !thinks, why)
  }
}
