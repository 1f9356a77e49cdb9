import { Effect, Layer } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Model } from "../domain/Model.ts"
import { makeModelCatalog, type ModelCatalog, noCatalog } from "./ModelCatalog.ts"
import { type Door, Router, targetAt, unknownModel, type RoutePlan } from "./Router.ts"
import { defaultTimeouts } from "./Timeouts.ts"

/** A provider that calls can go to. */
export interface TableProvider extends Door {
  /** the models that it is known to have, as far as they can be listed */
  readonly models: ReadonlyArray<string>
  /** whether it is known to have a model; true for all of `models` */
  readonly knows: (model: string) => boolean
}

/** What a listed name means: a plan, another listed name, or nothing for now, and why. */
export type Listing =
  | { readonly _tag: "Plan"; readonly plan: RoutePlan }
  | { readonly _tag: "Alias"; readonly of: string }
  | { readonly _tag: "Off"; readonly why: string }

/** What models there are, as data. `created` is when the table was made, in seconds since the epoch. */
export interface ModelTable {
  readonly models: ReadonlyMap<string, Listing>
  readonly providers: ReadonlyMap<string, TableProvider>
  /** providers that were meant to be there, and why they are not */
  readonly off: ReadonlyMap<string, string>
  readonly created: number
  /** the providers, on or off, whose own models are named like this */
  readonly likely?: (model: string) => ReadonlyArray<string>
  /** how a model is used that the table does not list; as usual unless given */
  readonly usual?: Pick<RoutePlan, "timeouts" | "policy" | "rescue" | "drain">
}

/**
 * The router over a table. A name is looked up as a listed model or alias (an alias of an alias is none), then as
 * `provider/model` (the model's own name may hold slashes), then as a name that exactly one provider is known to have;
 * where none is, as one that exactly one provider has said it has, if it was asked already: a call never waits for that.
 */
export const tableRouter = (table: ModelTable, catalog: ModelCatalog = noCatalog): Router["Service"] => {
  const configured = configuredModels(table)
  const names = [...configured.map(({ id }) => id), ...bareNames(table)]
  const saidToHave = (model: string) =>
    Array.from(table.providers).filter(([provider]) => catalog.listed(provider).has(model))

  const plan = (model: string): Effect.Effect<RoutePlan, LlmError> => {
    const listing = table.models.get(model)
    return listing?._tag === "Alias" ? direct(listing.of) : direct(model)
  }

  const direct = (model: string): Effect.Effect<RoutePlan, LlmError> => {
    const listing = table.models.get(model)
    if (listing?._tag === "Plan") return Effect.succeed(listing.plan)
    if (listing?._tag === "Off") return unreachable(model, listing.why)
    const [provider, rest] = splitAtSlash(model)
    const named = table.providers.get(provider)
    if (named !== undefined && rest !== "") return Effect.succeed(single(table, provider, rest, named))
    const why = table.off.get(provider)
    if (why !== undefined && rest !== "") return unreachable(model, `the provider ${provider} is off: ${why}`)
    const known = Array.from(table.providers).filter(([, provider]) => provider.knows(model))
    const knowing = known.length > 0 ? known : saidToHave(model)
    const [only, ...others] = knowing
    if (only !== undefined && others.length === 0) return Effect.succeed(single(table, only[0], model, only[1]))
    return knowing.length > 1 ? ambiguous(model, knowing) : (guessed(table, model) ?? unknownModel(model, comparable()))
  }

  /** Comparing costs time for every name: what providers listed is compared as far as there is room. */
  const comparable = () => {
    const said = Array.from(table.providers.keys()).flatMap((provider) => Array.from(catalog.listed(provider)))
    return new Set([...names, ...said].slice(0, maxCompared))
  }

  const models = Effect.map(catalog.ask, () => [...configured, ...listedModels(table, configured, catalog)])
  return Router.of({ plan, models })
}

const maxCompared = 5000

/** The router over a table that is made with the program, and over what its providers say they have. */
export const layerTable = <E, R>(table: Effect.Effect<ModelTable, E, R>): Layer.Layer<Router, E, R> =>
  Layer.effect(
    Router,
    Effect.flatMap(table, (made) =>
      Effect.map(makeModelCatalog(made.providers), (catalog) => tableRouter(made, catalog))
    )
  )

const single = ({ usual }: ModelTable, provider: string, model: string, door: TableProvider): RoutePlan => ({
  targets: [targetAt(provider, model, door, { unlisted: !door.models.includes(model) })],
  timeouts: defaultTimeouts,
  ...usual
})

const splitAtSlash = (model: string): readonly [string, string] => {
  const at = model.indexOf("/")
  return at < 0 ? [model, ""] : [model.slice(0, at), model.slice(at + 1)]
}

const unreachable = (model: string, why: string): LlmError =>
  failure({ _tag: "UnknownModel", model, near: [] }, `The model ${JSON.stringify(model)} cannot be reached: ${why}`)

/** What is said of a name that nobody is known to have, and that tells by its beginning whose it could be. */
const guessed = ({ likely, off, providers }: ModelTable, model: string): LlmError | undefined => {
  const named = likely?.(model) ?? []
  const near = named.filter((provider) => providers.has(provider)).map((provider) => `${provider}/${model}`)
  if (near.length > 0) {
    return failure(
      { _tag: "UnknownModel", model, near },
      `No provider is known to have the model ${JSON.stringify(model)}; did you mean ${near.map((name) => JSON.stringify(name)).join(" or ")}?`
    )
  }
  const provider = named.find((name) => off.has(name))
  return provider === undefined
    ? undefined
    : unreachable(model, `the provider ${provider} is off: ${off.get(provider) ?? ""}`)
}

const ambiguous = (model: string, knowing: ReadonlyArray<readonly [string, TableProvider]>): LlmError => {
  const near = knowing.map(([provider]) => `${provider}/${model}`)
  return failure(
    { _tag: "UnknownModel", model, near },
    `Several providers have the model ${JSON.stringify(model)}: name one of ${near.join(", ")}`
  )
}

/** The models that need no provider before their name. */
const bareNames = ({ providers }: ModelTable): ReadonlyArray<string> => {
  const all = Array.from(providers.values())
  return all
    .flatMap(({ models }) => models)
    .filter((model) => all.filter((provider) => provider.knows(model)).length === 1)
}

const configuredModels = ({ models, providers, created }: ModelTable): ReadonlyArray<Model> => {
  const providerOf = (name: string): string | undefined => {
    const listing = models.get(name)
    if (listing?._tag === "Plan") return listing.plan.targets[0].provider
    return listing === undefined ? splitAtSlash(name)[0] : undefined
  }
  const configured = Array.from(models).flatMap(([id, listing]) => {
    const provider = providerOf(listing._tag === "Alias" ? listing.of : id)
    return provider === undefined ? [] : [{ id, provider, created }]
  })
  const known = Array.from(providers).flatMap(([provider, { models }]) =>
    models.map((model) => ({ id: `${provider}/${model}`, provider, created }))
  )
  return [...configured, ...known.filter(({ id }) => !models.has(id))]
}

/** What providers say they have, and the configuration does not. */
const listedModels = (
  { providers, created }: ModelTable,
  configured: ReadonlyArray<Model>,
  catalog: ModelCatalog
): ReadonlyArray<Model> => {
  const known = new Set(configured.map(({ id }) => id))
  return Array.from(providers.keys()).flatMap((provider) =>
    Array.from(catalog.listed(provider), (model) => ({ id: `${provider}/${model}`, provider, created })).filter(
      ({ id }) => !known.has(id)
    )
  )
}
