// A router of one's own: which targets a model has, as data, and how they are used. router.test.ts tests it.
import { Effect, Layer } from "effect"
import {
  defaultPolicy,
  defaultTimeouts,
  Router,
  type RoutePlan,
  type Target,
  unknownModel,
  type Upstream
} from "millrace"

/** The two places that answer to the model `smart`. */
export interface Places {
  readonly first: Upstream["Service"]
  readonly second: Upstream["Service"]
}

const planOf = ({ first, second }: Places): RoutePlan => {
  const target = (provider: string, upstream: Upstream["Service"]): Target => ({ provider, model: "large", upstream })
  return {
    targets: [target("first", first), target("second", second)],
    // Nobody waits longer than 20 seconds for the first word of one, and after 3 the other is asked as well.
    timeouts: { ...defaultTimeouts, firstToken: 20_000 },
    policy: { ...defaultPolicy, hedgeAfter: 3_000 }
  }
}

/** Routes the model `smart` to both places, in this order, and knows no other. */
export const smartRouter = (places: Places): Layer.Layer<Router> =>
  Layer.succeed(
    Router,
    Router.of({
      plan: (model) =>
        model === "smart" ? Effect.succeed(planOf(places)) : Effect.fail(unknownModel(model, ["smart"])),
      models: Effect.succeed([{ id: "smart", provider: "first", created: 0 }])
    })
  )
