import type { LlmRequest } from "../../domain/LlmRequest.ts"

/**
 * What the generations of models take differently. A model is known by its name alone; one whose name says nothing is taken
 * for a new one.
 */
export interface ModelTraits {
  /** whether the model thinks within a budget of tokens, at a level, or not at all */
  readonly thinking: "budget" | "level" | "none"
  /** whether thinking can be switched off */
  readonly canSkipThinking: boolean
  /** whether a function call of an earlier turn has to carry the signature of the thoughts that led to it */
  readonly wantsSignatures: boolean
}

/** Whether a model searches the web for such a request: the older ones do nothing beside it. */
export const maySearch = (model: string, { tools = [], responseFormat }: LlmRequest): boolean =>
  !/gemini-[12]\./.test(model) ||
  (tools.every(({ _tag }) => _tag === "Provider") && (responseFormat ?? text)._tag === "Text")

const text = { _tag: "Text" } as const

/** The traits of a model. */
export const traitsOf = (model: string): ModelTraits => {
  if (/gemini-(1|2\.0)/.test(model)) return { thinking: "none", canSkipThinking: true, wantsSignatures: false }
  if (/gemini-2\./.test(model)) {
    return { thinking: "budget", canSkipThinking: !/-pro/.test(model), wantsSignatures: false }
  }
  return { thinking: "level", canSkipThinking: false, wantsSignatures: /gemini/.test(model) }
}
