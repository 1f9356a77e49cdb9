import type { Cost } from "../domain/Cost.ts"
import type { Usage } from "../domain/Usage.ts"
import type { Price, PriceBook, Rates } from "./PriceBook.ts"

/** Prices are in US dollars per million tokens, so that a token costs as many millionths of a dollar; this is finer. */
const picoUsd = (price: number): number => Math.round(price * 1_000_000)
const picoUsdPerMicroUsd = 1_000_000

/**
 * What holds for a request of so many input tokens: all of it is charged by the highest tier that it reaches, and what
 * that one does not say is as below it.
 */
const ratesFor = ({ above, ...base }: Price, inputTokens: number): Rates => {
  if (above === undefined) return base
  const reached = above.filter(({ tokens }) => inputTokens > tokens).toSorted((one, other) => one.tokens - other.tokens)
  return reached.reduce<Rates>((rates, tier) => ({ ...rates, ...tier }), base)
}

/**
 * What a usage costs in millionths of a US dollar, rounded once. Of the totals, which include their parts, every token is
 * charged once: a part for which there is no price of its own by that of the whole.
 */
export const microUsdOf = (price: Price, usage: Usage): number => {
  const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, cacheWriteTokens = 0 } = usage
  const { audioInputTokens = 0, audioOutputTokens = 0, reasoningTokens = 0 } = usage
  const rates = ratesFor(price, inputTokens)
  const { input, output = 0 } = rates
  const plainInput = Math.max(0, inputTokens - cachedTokens - cacheWriteTokens - audioInputTokens)
  const plainOutput = Math.max(0, outputTokens - audioOutputTokens - reasoningTokens)
  const pico =
    plainInput * picoUsd(input) +
    cachedTokens * picoUsd(rates.cachedInput ?? input) +
    cacheWriteTokens * picoUsd(rates.cacheWrite ?? input) +
    audioInputTokens * picoUsd(rates.audioInput ?? input) +
    plainOutput * picoUsd(output) +
    reasoningTokens * picoUsd(rates.reasoning ?? output) +
    audioOutputTokens * picoUsd(rates.audioOutput ?? output) +
    picoUsd(rates.request ?? 0) * picoUsdPerMicroUsd
  return Math.round(pico / picoUsdPerMicroUsd)
}

/** What so many tokens cost at most, in millionths of a US dollar, of whichever kinds they turn out to be. */
export const mostMicroUsdOf = (price: Price, usage: Omit<Usage, "source">): number => {
  const {
    audioOutput = 0,
    cacheWrite = 0,
    input,
    output = 0,
    reasoning = 0,
    ...rest
  } = ratesFor(price, usage.inputTokens ?? 0)
  const dear = { ...rest, input: Math.max(input, cacheWrite), output: Math.max(output, reasoning, audioOutput) }
  return microUsdOf(dear, { ...usage, source: "estimated" })
}

/** By which names a price is looked for, the surest first: as the provider says, as it was asked, as the caller asked. */
export interface Sold {
  readonly provider: string
  readonly served: string | undefined
  readonly upstream: string
  readonly requested: string
}

/** What an attempt costs; absent where nothing is known to have been used. */
export const costOf = (book: PriceBook, sold: Sold, usage: Usage): Cost | undefined => {
  if (usage.source === "none") return undefined
  const price = book.find(sold)
  return { microUsd: price === undefined ? null : microUsdOf(price, usage), prices: book.version }
}
