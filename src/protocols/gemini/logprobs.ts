import type { Schema } from "effect"
import type { GeneratedLogprob, TokenLogprob } from "../../domain/LlmEvent.ts"
import { isObject, unlessEmpty, type JsonObject } from "../open-document.ts"

const listAt = (value: Schema.Json | undefined, key: string): ReadonlyArray<Schema.Json> => {
  const list = isObject(value) ? value[key] : undefined
  return Array.isArray(list) ? list : []
}

const readToken = (value: Schema.Json | undefined): ReadonlyArray<TokenLogprob> =>
  isObject(value) && typeof value["token"] === "string" && typeof value["logProbability"] === "number"
    ? [{ token: value["token"], logprob: value["logProbability"] }]
    : []

/** The tokens of a `logprobsResult` with those that were likely in their place; undefined where there are none. */
export const readLogprobs = (result: Schema.Json | undefined): ReadonlyArray<GeneratedLogprob> | undefined => {
  const top = listAt(result, "topCandidates")
  const tokens = listAt(result, "chosenCandidates").flatMap((chosen, index) =>
    readToken(chosen).map((token) => ({ ...token, top: listAt(top[index], "candidates").flatMap(readToken) }))
  )
  return unlessEmpty(tokens)
}

const tokenOf = ({ token, logprob }: TokenLogprob): JsonObject => ({ token, logProbability: logprob })

/** The `logprobsResult` of tokens. */
export const logprobsResult = (logprobs: ReadonlyArray<GeneratedLogprob>): JsonObject => ({
  topCandidates: logprobs.map(({ top }) => ({ candidates: top.map(tokenOf) })),
  chosenCandidates: logprobs.map(tokenOf)
})
