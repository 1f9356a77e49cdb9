import { Context, Schema } from "effect"
import shipped from "./prices.json" with { type: "json" }
import type { Sold } from "./Cost.ts"

/** A dollar for each token. What is beyond was meant in another unit, and could not be reckoned with exactly. */
const dearest = 1_000_000
const dollars = { message: `Expected a number of US dollars, from 0 to ${dearest}` }
const Dollars = Schema.Finite.annotate(dollars).check(Schema.isBetween({ minimum: 0, maximum: dearest }, dollars))
const optional = Schema.optionalKey

const further = {
  output: optional(Dollars),
  cachedInput: optional(Dollars),
  cacheWrite: optional(Dollars),
  reasoning: optional(Dollars),
  audioInput: optional(Dollars),
  audioOutput: optional(Dollars),
  /** for the request as such, in US dollars */
  request: optional(Dollars)
}

const Rates = Schema.Struct({ input: Dollars, ...further })
/** In US dollars per million tokens. A part that has no price of its own costs what the whole does. */
export type Rates = typeof Rates.Type

/** What a model costs; `above` is what changes for requests of more input tokens than that. */
export const Price = Schema.Struct({
  ...Rates.fields,
  above: optional(Schema.Array(Schema.Struct({ tokens: Schema.Natural, input: optional(Dollars), ...further })))
})
export type Price = typeof Price.Type

/**
 * A list of prices: `version` says of when it is. A model's name is as its provider has it, without date and region; with
 * a provider before it (`local/llama4`) it holds for that provider alone, and `local/*` for all that it has.
 */
export const PriceList = Schema.Struct({ version: Schema.NonEmptyString, models: Schema.Record(Schema.String, Price) })
export type PriceList = typeof PriceList.Type

/** The prices that come with this package: list prices of the vendors in US dollars, as far as they are known. */
export const shippedPrices: PriceList = Schema.decodeUnknownSync(PriceList)(shipped)

const maxRemembered = 1000

/** Looks up prices in several lists: the first that has one for what was sold, by whichever of its names, is right. */
export class PriceBook {
  /** those of all lists, the last first: `2026-11-21+contract-7` */
  readonly version: string
  private readonly lists: ReadonlyArray<ReadonlyMap<string, Price>>
  private readonly found = new Map<string, Price | undefined>()

  constructor(...lists: ReadonlyArray<PriceList>) {
    this.version = lists
      .map(({ version }) => version)
      .toReversed()
      .join("+")
    this.lists = lists.map(({ models }) => new Map(Object.entries(models)))
  }

  /** For how many models there are prices. */
  get size(): number {
    return new Set(this.lists.flatMap((models) => [...models.keys()])).size
  }

  /** The price of what was sold, by the first of its names that has one. */
  find({ provider, served, upstream, requested }: Sold): Price | undefined {
    const key = `${provider}\n${served ?? ""}\n${upstream}\n${requested}`
    const known = this.found.get(key)
    if (known !== undefined || this.found.has(key)) return known
    // Some providers make names up as they go: they must not fill the memory.
    if (this.found.size >= maxRemembered) this.found.clear()
    const names = [served, upstream, requested].flatMap((name) => (name ? [...spellings(name)] : []))
    const price = firstOf(this.lists, (models) => priceIn(models, provider, names))
    this.found.set(key, price)
    return price
  }
}

const firstOf = <A, B>(all: ReadonlyArray<A>, find: (one: A) => B | undefined): B | undefined => {
  for (const one of all) {
    const found = find(one)
    if (found !== undefined) return found
  }
  return undefined
}

const priceIn = (
  models: ReadonlyMap<string, Price>,
  provider: string,
  names: ReadonlyArray<string>
): Price | undefined =>
  firstOf(names, (name) => models.get(`${provider}/${name}`) ?? models.get(name)) ?? models.get(`${provider}/*`)

/** What vendors and clouds add to the name of a model without changing what it costs. */
const additions: ReadonlyArray<RegExp> = [
  /-v\d+(:\d+)?$/,
  /@(\d{8}|default|latest)$/,
  /-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|\d{3})$/,
  /-latest$/,
  /-preview(-\d{2}-(\d{2}|\d{4}))?$/
]

/** A name, and what is left of it without path, region and vendor, and then without date and version. */
const spellings = (name: string): ReadonlySet<string> => {
  const found = new Set([name])
  let plain = name.toLowerCase().slice(name.lastIndexOf("/") + 1)
  found.add(plain)
  plain = plain.replace(/^([a-z]{2,6}\.)?[a-z\d-]+\.(?=[a-z])/, "")
  found.add(plain)
  for (const addition of additions) {
    plain = plain.replace(addition, "")
    found.add(plain)
  }
  return found
}

/** The prices that calls are reckoned with. */
export const Prices = Context.Reference<PriceBook>("millrace/accounting/Prices", {
  defaultValue: () => new PriceBook(shippedPrices)
})
