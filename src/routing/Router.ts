import { Context, Effect, Layer } from "effect"
import { map as mapNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Model } from "../domain/Model.ts"
import type { Capabilities } from "./Capabilities.ts"
import { askOnce, type Policy } from "./Policy.ts"
import type { RescueMode } from "./Rescue.ts"
import { defaultTimeouts, type Timeouts } from "./Timeouts.ts"
import { Upstream } from "./Upstream.ts"

/** One place that can answer: which provider, which of its models, through which port. */
export interface Target {
  readonly provider: string
  readonly model: string
  readonly upstream: Upstream["Service"]
  /** the label of the key that `upstream` shows, where the provider has several */
  readonly key?: string
  /** the same target once for every key, where it has several: they are used in turn */
  readonly keys?: NonEmptyReadonlyArray<Target>
  /** its share of the calls where they are spread by weight; 1 unless given */
  readonly weight?: number
  readonly capabilities?: Capabilities
  readonly limits?: Limits
  /** where they are not those of the plan */
  readonly timeouts?: Timeouts
  /** whether it goes on with the beginning of an answer that it is given; what its upstream says, unless given */
  readonly continues?: boolean
  /** whether it was a caller who thought of this model: then the provider may well have none of that name */
  readonly unlisted?: boolean
}

/** A provider's port, or one for every key that it has, and what is known of all that is behind it. */
export interface Door {
  readonly capabilities?: Capabilities
  readonly upstream: Upstream["Service"]
  readonly keys?: NonEmptyReadonlyArray<{ readonly label: string; readonly upstream: Upstream["Service"] }>
}

/** A model of a provider, by each of its keys where it has several. */
export const targetAt = (
  provider: string,
  model: string,
  { upstream, keys, capabilities: usual }: Door,
  more: Pick<Target, "weight" | "capabilities" | "limits" | "timeouts" | "continues" | "unlisted"> = {}
): Target => {
  const capabilities = { ...usual, ...more.capabilities }
  const known = Object.keys(capabilities).length === 0 ? {} : { capabilities }
  const target = { provider, model, upstream, ...more, ...known }
  if (keys === undefined) return target
  return { ...target, keys: mapNonEmpty(keys, ({ label, upstream }) => ({ ...target, upstream, key: label })) }
}

/** How many attempts a target takes at a time, and how many wait for how long (milliseconds) where it has as many. */
export interface Limits {
  readonly concurrency: number
  readonly queue: number
  readonly maxWait: number
}

/** For how long, in milliseconds, and to how many tokens, about, an answer is read that only its record has a use for. */
export interface Drain {
  readonly maxTime: number
  readonly maxTokens: number
}

/** Where a call goes, as data: its targets, how they are used, and how long each may take. */
export interface RoutePlan {
  readonly targets: NonEmptyReadonlyArray<Target>
  readonly timeouts: Timeouts
  /** `defaultPolicy` unless given */
  readonly policy?: Policy
  /** what is done about an answer that breaks off; `auto` unless given */
  readonly rescue?: RescueMode
  /** how much is read on of an answer whose caller left; nothing unless given */
  readonly drain?: Drain
  /** how a whole answer is asked for upstream: as the caller asked (default), or always as a stream */
  readonly upstreamDelivery?: "stream"
  /** the names of the filters that its calls pass */
  readonly filters?: ReadonlyArray<string>
}

/** From the name of a model to a plan. */
export class Router extends Context.Service<
  Router,
  {
    /** Fails with `UnknownModel`, near names in it, where nothing answers to the name. */
    readonly plan: (model: string) => Effect.Effect<RoutePlan, LlmError>
    /** the models that are known by name; who has to be asked for them is, so that it may take a few seconds */
    readonly models: Effect.Effect<ReadonlyArray<Model>, LlmError>
  }
>()("millrace/routing/Router") {
  /** Every model name goes to the one `Upstream`, as it is, which is asked once for every call. */
  static readonly layerSingle: Layer.Layer<Router, never, Upstream> = Layer.effect(
    Router,
    Effect.map(Upstream, (upstream) => ({
      plan: (model: string) =>
        Effect.succeed({
          targets: [{ provider: "upstream", model, upstream }],
          timeouts: defaultTimeouts,
          policy: askOnce
        } satisfies RoutePlan),
      models: Effect.succeed([])
    }))
  )
}

const maxNear = 3

/** The failure for a model nobody knows, with the names most like it. */
export const unknownModel = (model: string, known: Iterable<string>): LlmError => {
  const near = nearest(model, known)
  return failure(
    { _tag: "UnknownModel", model, near },
    near.length === 0
      ? `The model ${JSON.stringify(model)} does not exist`
      : `The model ${JSON.stringify(model)} does not exist; did you mean ${near.map((name) => JSON.stringify(name)).join(", ")}?`
  )
}

/** The known names that are most like a name, the nearest first. */
export const nearest = (model: string, known: Iterable<string>): ReadonlyArray<string> => {
  const scored: Array<{ name: string; distance: number }> = []
  for (const name of known) {
    const distance = editDistance(model.toLowerCase(), name.toLowerCase())
    if (distance <= Math.max(2, Math.floor(name.length / 2))) scored.push({ name, distance })
  }
  return scored
    .toSorted((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
    .slice(0, maxNear)
    .map(({ name }) => name)
}

/** Levenshtein distance, of names cut at 100 characters. */
const editDistance = (left: string, right: string): number => {
  const a = left.slice(0, 100)
  const b = right.slice(0, 100)
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
