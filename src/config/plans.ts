import { Duration } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import type { Listing, TableProvider } from "../routing/ModelTable.ts"
import { type Breaker, defaultBreaker, defaultRetry, type Policy, type Retry } from "../routing/Policy.ts"
import { type Drain, type Limits, type RoutePlan, type Target, targetAt } from "../routing/Router.ts"
import { defaultTimeouts, type Timeouts } from "../routing/Timeouts.ts"
import type { DefaultsEntry, ModelEntry, TargetEntry, TimeoutsEntry } from "./ModelEntry.ts"

/** How targets are used. */
export type Use = Pick<RoutePlan, "timeouts" | "rescue" | "drain"> & { readonly policy: Policy }

/** How targets are used of which the document says this. */
export const useOf = (entry: DefaultsEntry): Use => ({
  timeouts: timeoutsOf(entry.timeouts, defaultTimeouts),
  policy: {
    strategy: entry.strategy ?? "ordered",
    retry: retryOf(entry.retry),
    breaker: breakerOf(entry.breaker),
    ...(entry.affinity === undefined || entry.affinity === "off" ? {} : { affinity: entry.affinity }),
    ...(entry.fallbackOn === undefined ? {} : { fallbackOn: entry.fallbackOn })
  },
  ...(entry.rescue === undefined ? {} : { rescue: entry.rescue }),
  ...(entry.onDisconnect === "drain" ? { drain: drainOf(entry.drain) } : {})
})

/** What a model says, and where it says nothing, what the defaults say; setting by setting. */
const over = (entry: DefaultsEntry, defaults: DefaultsEntry): DefaultsEntry => ({
  ...defaults,
  ...entry,
  timeouts: { ...defaults.timeouts, ...entry.timeouts },
  retry: { ...defaults.retry, ...entry.retry },
  breaker: { ...defaults.breaker, ...entry.breaker },
  drain: { ...defaults.drain, ...entry.drain }
})

/** What a model of the document means, over the providers that are on. */
export const listingOf = (
  entry: ModelEntry,
  defaults: DefaultsEntry,
  providers: ReadonlyMap<string, TableProvider>
): Listing => {
  if (entry.alias !== undefined) return { _tag: "Alias", of: entry.alias }
  const { policy, ...use } = useOf(over(entry, defaults))
  const targets = (entry.targets ?? []).flatMap((target) => {
    const provider = providers.get(target.provider)
    return provider === undefined ? [] : [targetOf(target, provider, use.timeouts)]
  })
  if (!isReadonlyArrayNonEmpty(targets)) return { _tag: "Off", why: "every provider it could go to is off" }
  const plan: RoutePlan = {
    targets,
    ...use,
    policy: entry.hedge === undefined ? policy : { ...policy, hedgeAfter: Duration.toMillis(entry.hedge.after) },
    ...(entry.filters === undefined || entry.filters.length === 0 ? {} : { filters: entry.filters }),
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

const retryOf = (entry: ModelEntry["retry"]): Retry => ({
  maxAttempts: entry?.maxAttempts ?? defaultRetry.maxAttempts,
  initialDelay: millis(entry?.initialDelay, defaultRetry.initialDelay),
  maxDelay: millis(entry?.maxDelay, defaultRetry.maxDelay)
})

const breakerOf = (entry: ModelEntry["breaker"]): Breaker => {
  const openFor = millis(entry?.openFor, defaultBreaker.openFor)
  return {
    failures: entry?.failures ?? defaultBreaker.failures,
    openFor,
    maxOpenFor: Math.max(openFor, millis(entry?.maxOpenFor, defaultBreaker.maxOpenFor))
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
