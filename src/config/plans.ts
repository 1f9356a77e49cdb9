import { Duration } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import type { Listing, TableProvider } from "../routing/ModelTable.ts"
import { type Breaker, defaultBreaker, defaultRetry, type Policy, type Retry } from "../routing/Policy.ts"
import { type Drain, type Limits, type RoutePlan, type Target, targetAt } from "../routing/Router.ts"
import { defaultTimeouts, type Timeouts } from "../routing/Timeouts.ts"
import type { DefaultsEntry, ModelEntry, TargetEntry, TimeoutsEntry } from "./ModelEntry.ts"

/** How targets are used where nothing is said of a model. */
export type Usual = Pick<RoutePlan, "timeouts"> & { readonly policy: Policy }

export const usualOf = ({ timeouts, retry, breaker }: DefaultsEntry = {}): Usual => ({
  timeouts: timeoutsOf(timeouts, defaultTimeouts),
  policy: {
    strategy: "ordered",
    retry: retryOf(retry, defaultRetry),
    breaker: breakerOf(breaker, defaultBreaker)
  }
})

/** What a model of the document means, over the providers that are on. */
export const listingOf = (entry: ModelEntry, usual: Usual, providers: ReadonlyMap<string, TableProvider>): Listing => {
  if (entry.alias !== undefined) return { _tag: "Alias", of: entry.alias }
  const timeouts = timeoutsOf(entry.timeouts, usual.timeouts)
  const targets = (entry.targets ?? []).flatMap((target) => {
    const provider = providers.get(target.provider)
    return provider === undefined ? [] : [targetOf(target, provider, timeouts)]
  })
  if (!isReadonlyArrayNonEmpty(targets)) return { _tag: "Off", why: "every provider it could go to is off" }
  const plan: RoutePlan = {
    targets,
    timeouts,
    policy: policyOf(entry, usual.policy),
    ...(entry.filters === undefined || entry.filters.length === 0 ? {} : { filters: entry.filters }),
    ...(entry.rescue === undefined ? {} : { rescue: entry.rescue }),
    ...(entry.onDisconnect === "drain" ? { drain: drainOf(entry.drain) } : {}),
    ...(entry.upstream === undefined ? {} : { upstreamDelivery: entry.upstream })
  }
  return { _tag: "Plan", plan }
}

const targetOf = (entry: TargetEntry, provider: TableProvider, timeouts: Timeouts): Target => {
  const { weight, capabilities, limits, prefill } = entry
  return targetAt(entry.provider, entry.model, provider, {
    ...(weight === undefined ? {} : { weight }),
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
    ...(prefill === undefined ? {} : { continues: prefill }),
    ...(entry.timeouts === undefined ? {} : { timeouts: timeoutsOf(entry.timeouts, timeouts) })
  })
}

const limitsOf = ({ concurrency, queue, maxWait }: NonNullable<TargetEntry["limits"]>): Limits => ({
  concurrency,
  queue: queue ?? 100,
  maxWait: millis(maxWait, 10_000)
})

const drainOf = (entry: ModelEntry["drain"]): Drain => ({
  maxTime: millis(entry?.maxTime, 60_000),
  maxTokens: entry?.maxTokens ?? 10_000
})

const policyOf = (entry: ModelEntry, usual: Policy): Policy => ({
  strategy: entry.strategy ?? usual.strategy,
  retry: retryOf(entry.retry, usual.retry),
  breaker: breakerOf(entry.breaker, usual.breaker),
  ...(entry.affinity === undefined ? {} : { affinity: entry.affinity }),
  ...(entry.fallbackOn === undefined ? {} : { fallbackOn: entry.fallbackOn }),
  ...(entry.hedge === undefined ? {} : { hedgeAfter: Duration.toMillis(entry.hedge.after) })
})

const retryOf = (entry: ModelEntry["retry"], usual: Retry): Retry => ({
  maxAttempts: entry?.maxAttempts ?? usual.maxAttempts,
  initialDelay: millis(entry?.initialDelay, usual.initialDelay),
  maxDelay: millis(entry?.maxDelay, usual.maxDelay)
})

const breakerOf = (entry: ModelEntry["breaker"], usual: Breaker): Breaker => {
  const openFor = millis(entry?.openFor, usual.openFor)
  return {
    failures: entry?.failures ?? usual.failures,
    openFor,
    maxOpenFor: Math.max(openFor, millis(entry?.maxOpenFor, usual.maxOpenFor))
  }
}

const timeoutsOf = (entry: TimeoutsEntry | undefined, usual: Timeouts): Timeouts => {
  const wholeFirstByte = entry?.firstToken === undefined ? usual.wholeFirstByte : Duration.toMillis(entry.firstToken)
  return {
    connect: millis(entry?.connect, usual.connect),
    firstToken: millis(entry?.firstToken, usual.firstToken),
    idle: millis(entry?.idle, usual.idle),
    total: millis(entry?.total, usual.total),
    ...(wholeFirstByte === undefined ? {} : { wholeFirstByte })
  }
}

const millis = (duration: Duration.Duration | undefined, otherwise: number): number =>
  duration === undefined ? otherwise : Duration.toMillis(duration)
