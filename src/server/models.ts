import { Effect } from "effect"
import { mayUse, type Principal } from "../accounting/Access.ts"
import { Router, unknownModel } from "../routing/Router.ts"
import type { Surfaces } from "../protocols/Surface.ts"
import { json, type Route } from "./Route.ts"

const modelsFor = (principal: Principal) =>
  Effect.map(
    Effect.flatMap(Router, (router) => router.models),
    (models) => models.filter(({ id }) => mayUse(principal, id))
  )

const models = json(({ principal, surface }) =>
  Effect.map(modelsFor(principal), (models) => surface.renderModels(models))
)

const model = json(({ principal, rest, surface }) =>
  Effect.gen(function* () {
    const known = yield* modelsFor(principal)
    // A name without its provider is enough where only one has it, as in calls.
    const [only, ...others] = known.filter(({ id, provider }) => id === `${provider}/${rest}`)
    const found = known.find(({ id }) => id === rest) ?? (others.length === 0 ? only : undefined)
    if (found === undefined) {
      return yield* unknownModel(
        rest,
        known.map(({ id }) => id)
      )
    }
    return surface.renderModel(found)
  })
)

/** The models that whoever asks may name, in the shapes of the dialects. */
export const modelRoutes = (surfaces: Surfaces): ReadonlyArray<Route> =>
  [...new Set(surfaces.map(({ modelsPath }) => modelsPath))].flatMap((path): ReadonlyArray<Route> => [
    { method: "GET", path, handle: models },
    { method: "GET", path: `${path}/*`, handle: model }
  ])
