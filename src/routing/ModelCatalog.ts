import { Cache, Effect, Exit } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Upstream } from "./Upstream.ts"

/** What providers say they have, as far as they were asked. */
export interface ModelCatalog {
  /**
   * Asks every provider that was not asked lately, all at once. It takes 3 s at most and never fails: a provider that is
   * slow or broken is asked again later, and until then what it said before stands.
   */
  readonly ask: Effect.Effect<void>
  /** what a provider said when it was last asked, in its order; nobody is asked for it */
  readonly listed: (provider: string) => ReadonlySet<string>
}

const patience = "3 seconds"
const good = "5 minutes"
const beforeRetry = "1 minute"

const maxModels = 1000
const maxName = 256

const none: ReadonlySet<string> = new Set()

/** A catalog in which nobody is asked. */
export const noCatalog: ModelCatalog = { ask: Effect.void, listed: () => none }

const tooSlow = failure({ _tag: "Timeout", phase: "total" }, "The provider did not list its models in time")

/** The catalog of these providers, by their names. */
export const makeModelCatalog = (
  providers: ReadonlyMap<string, { readonly upstream: Upstream["Service"] }>
): Effect.Effect<ModelCatalog> =>
  Effect.gen(function* () {
    const listed = new Map<string, ReadonlySet<string>>()
    const listings = new Map(
      Array.from(providers).flatMap(([name, { upstream }]) =>
        upstream.listModels === undefined ? [] : [[name, upstream.listModels] as const]
      )
    )
    const cache = yield* Cache.makeWith(
      (name: string) =>
        (listings.get(name) ?? Effect.succeed([])).pipe(
          Effect.timeoutOrElse({ duration: patience, orElse: () => tooSlow }),
          Effect.tapError((error) =>
            hasNoList(error) ? Effect.void : Effect.logWarning(`${name} did not list its models: ${error.message}`)
          ),
          Effect.map((models) => listed.set(name, new Set(models.filter(isName).slice(0, maxModels))))
        ),
      { capacity: listings.size, timeToLive: (exit) => (Exit.isSuccess(exit) ? good : beforeRetry) }
    )
    return {
      ask: Effect.forEach(Array.from(listings.keys()), (name) => Effect.exit(Cache.get(cache, name)), {
        concurrency: "unbounded",
        discard: true
      }),
      listed: (provider) => listed.get(provider) ?? none
    }
  })

/** Not every server has such a list. */
const hasNoList = ({ reason }: LlmError): boolean =>
  reason._tag === "InvalidRequest" && (reason.kind === "notFound" || reason.kind === "method")

/** One with control characters is refused of callers too. */
const isName = (model: string): boolean => model !== "" && model.length <= maxName && !/\p{Cc}/u.test(model)
