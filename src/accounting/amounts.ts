import type { FinalRecord } from "../domain/Call.ts"
import type { LlmRequest, Part, Tool } from "../domain/LlmRequest.ts"
import type { Candidate } from "./Admission.ts"
import { mostMicroUsdOf } from "./Cost.ts"
import type { Measure } from "./Limits.ts"
import type { PriceBook } from "./PriceBook.ts"

/** How much of each measure something is. */
export type Amounts = { readonly [M in Measure]: number }

const bytesPerToken = 4
const perMessage = 4
const perMedia = 1000
/** What may be generated where the caller does not say: most answers are shorter, and a stream that is not reserves on. */
const usualOutput = 4096

const tokensOf = (text: string): number => Buffer.byteLength(text) / bytesPerToken

const tokensIn = (part: Part): number => {
  switch (part._tag) {
    case "Text":
    case "Reasoning":
    case "Refusal":
      return tokensOf(part.text)
    case "ToolCall":
      return tokensOf(part.name) + tokensOf(part.arguments)
    case "ToolResult":
      return part.content.reduce((sum, inner) => sum + tokensIn(inner), 0)
    case "Opaque":
      return tokensOf(JSON.stringify(part.value))
    case "Media":
      return perMedia
  }
}

const tokensOfTool = (tool: Tool): number =>
  tool._tag === "Function"
    ? tokensOf(tool.name) + tokensOf(tool.description ?? "") + tokensOf(JSON.stringify(tool.inputSchema ?? {}))
    : tokensOf(JSON.stringify(tool.value))

/** The input of a request, roughly: nobody waits for a tokenizer before the call begins. */
const inputOf = ({ messages, tools = [] }: LlmRequest): number => {
  let tokens = 0
  for (const message of messages) {
    tokens += perMessage
    for (const part of message.parts) tokens += tokensIn(part)
  }
  for (const tool of tools) tokens += tokensOfTool(tool)
  return Math.ceil(tokens)
}

/** What a call may come to: its input, the most it may generate, and the price of the dearest target that may be asked. */
export const expected = ({ model, request, targets }: Candidate, prices: PriceBook): Amounts => {
  const forVectors = "inputLength" in request
  const inputTokens = forVectors ? Math.ceil(request.inputLength / bytesPerToken) : inputOf(request)
  const outputTokens = forVectors
    ? 0
    : (request.sampling.maxOutputTokens ?? usualOutput) * Math.max(1, request.sampling.choices ?? 1)
  return {
    requests: 1,
    concurrent: 1,
    inputTokens,
    outputTokens,
    tokens: inputTokens + outputTokens,
    cost: dearest({ model, targets }, inputTokens, outputTokens, prices)
  }
}

/** What so many tokens cost at most, in millionths of a dollar; nothing where nobody knows. */
export const dearest = (
  { model, targets }: Pick<Candidate, "model" | "targets">,
  inputTokens: number,
  outputTokens: number,
  prices: PriceBook
): number => {
  let most = 0
  for (const target of targets) {
    const sold = { provider: target.provider, served: undefined, upstream: target.model, requested: model }
    const price = prices.find(sold)
    if (price === undefined) continue
    most = Math.max(most, mostMicroUsdOf(price, { inputTokens, outputTokens }))
  }
  return most
}

const nothing: Amounts = { requests: 0, concurrent: 0, inputTokens: 0, outputTokens: 0, tokens: 0, cost: 0 }

/** What a call came to, with all of its attempts. One for which nobody was asked came to nothing. */
export const actual = (record: FinalRecord | undefined): Amounts => {
  if (record === undefined || record.attempts.length === 0) return nothing
  let inputTokens = 0
  let outputTokens = 0
  let cost = 0
  for (const attempt of record.attempts) {
    inputTokens += attempt.usage.inputTokens ?? 0
    outputTokens += attempt.usage.outputTokens ?? 0
    cost += attempt.cost?.microUsd ?? 0
  }
  return { requests: 1, concurrent: 0, inputTokens, outputTokens, tokens: inputTokens + outputTokens, cost }
}
