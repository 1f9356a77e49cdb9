import type { GeneratedLogprob } from "../../domain/LlmEvent.ts"
import { fieldsOf, isObject, unlessEmpty } from "../open-document.ts"

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/**
 * The log probabilities in the form that this API has had from the beginning: lists side by side, the tokens, what each
 * cost, and the most likely ones in its place by their text. A first token without a probability (an echoed prompt) is
 * left out.
 */
export const logprobsOf = (logprobs: unknown): ReadonlyArray<GeneratedLogprob> | undefined => {
  if (!isObject(logprobs)) return undefined
  const costs = listOf(logprobs["token_logprobs"])
  const others = listOf(logprobs["top_logprobs"])
  const list = listOf(logprobs["tokens"]).flatMap((token, at): ReadonlyArray<GeneratedLogprob> => {
    const logprob = costs[at]
    return typeof token === "string" && typeof logprob === "number" ? [{ token, logprob, top: topOf(others[at]) }] : []
  })
  return unlessEmpty(list)
}

const topOf = (top: unknown): GeneratedLogprob["top"] =>
  Object.entries(fieldsOf(top)).flatMap(([token, logprob]) => (typeof logprob === "number" ? [{ token, logprob }] : []))
