import { Duration, Schema } from "effect"
import { CaptureLevel } from "../audit/Capture.ts"
import { features } from "../routing/Capabilities.ts"
import { count, ShortByteSize, ShortDuration, Weight } from "./units.ts"
import { oneOf, text, YesOrNo } from "./values.ts"

const optional = Schema.optionalKey

const Timeouts = Schema.Struct({
  connect: optional(ShortDuration),
  firstToken: optional(ShortDuration),
  idle: optional(ShortDuration),
  total: optional(ShortDuration)
})
export type TimeoutsEntry = typeof Timeouts.Type

/** Whether a time is no longer than its own bound; what is not said has its default. */
const isWithin = (time: Duration.Duration | undefined, bound: Duration.Duration | undefined): boolean =>
  time === undefined || bound === undefined || Duration.isLessThanOrEqualTo(time, bound)

const Retry = Schema.Struct({
  maxAttempts: optional(count(1, 100)),
  initialDelay: optional(ShortDuration),
  maxDelay: optional(ShortDuration)
}).check(
  Schema.makeFilter(({ initialDelay, maxDelay }) => isWithin(initialDelay, maxDelay), {
    message: "Expected an initialDelay that is not longer than maxDelay"
  })
)

const Breaker = Schema.Struct({
  failures: optional(count(0, 1_000_000)),
  openFor: optional(ShortDuration),
  maxOpenFor: optional(ShortDuration)
}).check(
  Schema.makeFilter(({ maxOpenFor, openFor }) => isWithin(openFor, maxOpenFor), {
    message: "Expected an openFor that is not longer than maxOpenFor"
  })
)

const longestWait = Duration.seconds(10)
const waitMessage = "Expected a duration from 0 to 10s"

/** How many calls a target takes at a time, and how many more wait for how long. */
const Limits = Schema.Struct({
  concurrency: count(1, 1_000_000),
  queue: optional(count(0, 100)),
  maxWait: optional(
    ShortDuration.check(
      Schema.makeFilter((wait) => Duration.isLessThanOrEqualTo(wait, longestWait), { message: waitMessage })
    )
  )
})

const Capabilities = Schema.Struct({
  contextWindow: optional(count(1, 1_000_000_000)),
  features: optional(Schema.Array(oneOf(features)))
})

const Target = Schema.Struct({
  provider: text("the name of a provider"),
  model: text("the provider's name of a model"),
  weight: optional(Weight),
  capabilities: optional(Capabilities),
  limits: optional(Limits),
  timeouts: optional(Timeouts),
  prefill: optional(YesOrNo)
})
export type TargetEntry = typeof Target.Type

/** How far an answer is read whose caller left. */
const Drain = Schema.Struct({
  maxTime: optional(ShortDuration),
  maxTokens: optional(count(1, 10_000_000))
})

/** How targets are used. */
const use = {
  strategy: optional(oneOf(["ordered", "weighted", "random", "least-latency", "least-busy"])),
  timeouts: optional(Timeouts),
  retry: optional(Retry),
  breaker: optional(Breaker),
  affinity: optional(oneOf(["conversation", "caller", "off"])),
  fallbackOn: optional(Schema.Array(oneOf(["content-blocked"]))),
  onDisconnect: optional(oneOf(["cancel", "drain"])),
  drain: optional(Drain),
  rescue: optional(oneOf(["off", "continue", "restart", "auto"]))
}

/** What models have that do not say it themselves, those that are called by their provider's name among them. */
export const Defaults = Schema.Struct(use)
export type DefaultsEntry = typeof Defaults.Type

/** A model that callers may name: an alias, or targets and how they are used. */
export const Model = Schema.Struct({
  alias: optional(text("the name of a model")),
  targets: optional(Schema.NonEmptyArray(Target)),
  ...use,
  hedge: optional(Schema.Struct({ after: ShortDuration })),
  upstream: optional(oneOf(["stream"])),
  filters: optional(Schema.Array(text("the name of a filter"))),
  capture: optional(oneOf(CaptureLevel.literals)),
  captureLimit: optional(ShortByteSize)
})
export type ModelEntry = typeof Model.Type
