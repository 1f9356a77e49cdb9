import type { GeneratedLogprob, TokenLogprob } from "../../domain/LlmEvent.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"

const readToken = (value: unknown): TokenLogprob | undefined => {
  if (!isObject(value)) return undefined
  const { token, logprob, bytes } = value
  if (typeof token !== "string" || typeof logprob !== "number") return undefined
  return {
    token,
    logprob,
    ...(Array.isArray(bytes)
      ? { bytes: bytes.filter((byte): byte is number => Number.isInteger(byte)) }
      : bytes === null
        ? { bytes }
        : {})
  }
}

/** The log probabilities of a choice's text; undefined where there are none. */
export const readLogprobs = (logprobs: unknown): ReadonlyArray<GeneratedLogprob> | undefined => {
  const content = fieldsOf(logprobs)["content"]
  if (!Array.isArray(content) || content.length === 0) return undefined
  return content.flatMap((value: unknown) => {
    const token = readToken(value)
    if (token === undefined || !isObject(value)) return []
    const top = value["top_logprobs"]
    return [{ ...token, top: Array.isArray(top) ? top.flatMap((other: unknown) => readToken(other) ?? []) : [] }]
  })
}

/** The log probabilities of a piece of text in the words of this format. */
export const renderLogprobs = (tokens: ReadonlyArray<GeneratedLogprob>): JsonObject => ({
  content: tokens.map(({ top, ...token }) => ({ ...token, top_logprobs: top })),
  refusal: null
})
