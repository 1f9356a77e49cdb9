import { NodeHttpClient } from "@effect/platform-node"
import { Clock, Context, Effect, Layer, Redacted, Result } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Access from "../accounting/Access.ts"
import { CountStore } from "../accounting/CountStore.ts"
import * as CountStoreSql from "../accounting/CountStoreSql.ts"
import type { KeyRefused } from "../accounting/KeyRefused.ts"
import { Keys } from "../accounting/Keys.ts"
import { KeyStore } from "../accounting/KeyStore.ts"
import * as KeyStoreSql from "../accounting/KeyStoreSql.ts"
import { Ledger } from "../accounting/Ledger.ts"
import * as LedgerSql from "../accounting/LedgerSql.ts"
import * as Limiter from "../accounting/Limiter.ts"
import { Prices } from "../accounting/PriceBook.ts"
import type { AuditStore } from "../audit/AuditStore.ts"
import * as AuditStoreMemory from "../audit/AuditStoreMemory.ts"
import * as AuditStoreSql from "../audit/AuditStoreSql.ts"
import { AuditTrail } from "../audit/AuditTrail.ts"
import { Engine } from "../engine/Engine.ts"
import { observeSignals } from "../engine/observeSignals.ts"
import { watchAnswers } from "../engine/watching.ts"
import { present } from "../domain/present.ts"
import { Filters, NamedFilters } from "../filters/Filter.ts"
import { type Deployment, deploymentUpstream } from "../providers/Deployment.ts"
import { formats } from "../providers/formats.ts"
import { HttpTransport } from "../providers/HttpTransport.ts"
import { presets, vendorOf, type Preset } from "../providers/presets.ts"
import { parseModelName } from "../providers/simulator/ModelName.ts"
import { makeSimulatorUpstream } from "../providers/simulator/simulator.ts"
import { layerTable, type Listing, type ModelTable, type TableProvider } from "../routing/ModelTable.ts"
import type { Router } from "../routing/Router.ts"
import { TargetStates } from "../routing/TargetStates.ts"
import type { Upstream } from "../routing/Upstream.ts"
import { Signals } from "../signals/Signals.ts"
import type { SignalStore } from "../signals/SignalStore.ts"
import * as SignalStoreMemory from "../signals/SignalStoreMemory.ts"
import * as SignalStoreSql from "../signals/SignalStoreSql.ts"
import type { Database, StorageError } from "../storage/Database.ts"
import type { MigrationError } from "../storage/Migrations.ts"
import * as Postgres from "../storage/Postgres.ts"
import * as Sqlite from "../storage/Sqlite.ts"
import { auditSettings, keepsContent, sinksLayer } from "./audit.ts"
import type { Configuration, HttpProvider, ProviderSettings } from "./Configuration.ts"
import { filterOf } from "./filters.ts"
import { listingOf, useOf } from "./plans.ts"

/** The database of a configuration; undefined where everything is kept in memory. Made once, it may be used by several. */
export const databaseLayer = ({ audit, storage }: Configuration): Layer.Layer<Database, StorageError> | undefined => {
  // What only has to survive the process needs no flush to the disk for every batch.
  const flushed = audit.durability === "strict" || audit.durability === "standard"
  switch (storage._tag) {
    case "Memory":
      return undefined
    case "Sqlite":
      return Sqlite.layer({ filename: storage.filename, synchronous: flushed ? "FULL" : "NORMAL" })
    case "Postgres":
      return Postgres.layer({ url: storage.url, synchronousCommit: flushed })
  }
}

/** Where the records of calls are. Making it brings the tables up to date; it takes no part in recording. */
export const storeLayer = (
  configuration: Configuration,
  database = databaseLayer(configuration)
): Layer.Layer<AuditStore, StorageError | MigrationError> =>
  database === undefined ? AuditStoreMemory.layer : Layer.provide(AuditStoreSql.layer, database)

/** The keys of the document, and those that are kept beside the records. */
export const keysLayer = (
  configuration: Configuration,
  database = databaseLayer(configuration)
): Layer.Layer<Keys, StorageError | MigrationError> =>
  Layer.provide(
    Keys.layer({
      documented: configuration.auth.keys,
      filters: Object.keys(configuration.filters),
      peppers: configuration.auth.peppers
    }),
    database === undefined ? KeyStore.layerMemory : Layer.provide(KeyStoreSql.layer, database)
  )

/** Asks for keys, which have to be such that they can be recognised. */
const accessByKeys = ({ auth }: Configuration): Layer.Layer<never, KeyRefused, Keys> =>
  Layer.provideMerge(
    Access.layerKeys(auth.adminKey),
    Layer.effectDiscard(Effect.flatMap(Keys, ({ recognise }) => recognise))
  )

/** What was used and what it cost, beside the records. */
export const ledgerLayer = (
  configuration: Configuration,
  database = databaseLayer(configuration)
): Layer.Layer<Ledger, StorageError | MigrationError> =>
  database === undefined ? Ledger.layerMemory : Layer.provide(LedgerSql.layer, database)

/** Who is admitted: as far as the limits of the document and of keys have room. */
const limiterLayer = (
  { audit, limits }: Configuration,
  database: ReturnType<typeof databaseLayer>
): Layer.Layer<never, StorageError | MigrationError, Keys | Ledger> =>
  Layer.provide(
    Limiter.layer({ rules: limits, onFailure: audit.onFailure }),
    database === undefined ? CountStore.layerMemory : Layer.provide(CountStoreSql.layer, database)
  )

/** Where the signals of calls are kept, beside the records. */
export const signalStoreLayer = (
  configuration: Configuration,
  database = databaseLayer(configuration)
): Layer.Layer<SignalStore, StorageError | MigrationError> =>
  database === undefined ? SignalStoreMemory.layer : Layer.provide(SignalStoreSql.layer, database)

/** Reads conversations after their calls, where the configuration wants that. */
const signalsLayer = (
  configuration: Configuration,
  database: ReturnType<typeof databaseLayer>
): Layer.Layer<never, StorageError | MigrationError> =>
  configuration.signals === undefined
    ? Layer.empty
    : observeSignals.pipe(
        Layer.provideMerge(
          Signals.layer({
            ...configuration.signals,
            keeps: keepsContent(configuration.audit, configuration.models)
          })
        ),
        Layer.provide(signalStoreLayer(configuration, database))
      )

/** The filters of the document: by name for models and keys, and those of every call after the ones there are already. */
const namedFilters = ({ everyCall, filters }: Configuration): Layer.Layer<never> => {
  if (Object.keys(filters).length === 0) return Layer.empty
  const made = Effect.forEach(Object.entries(filters), ([name, entry]) =>
    // The document was sound.
    Effect.map(
      Effect.flatten(Effect.orDie(Effect.fromResult(filterOf(name, entry)))),
      (filter) => [name, filter] as const
    )
  )
  const layer = Layer.effectContext(
    Effect.gen(function* () {
      const named = new Map(yield* made)
      const others = yield* Filters
      const every = everyCall.filters.flatMap((name) => named.get(name) ?? [])
      return Context.make(NamedFilters, named).pipe(Context.add(Filters, [...others, ...every]))
    })
  )
  return Layer.provide(layer, NodeHttpClient.layerUndici)
}

/** What sees or changes what flows through calls: analyzers first, then filters. */
export const filterLayer = (configuration: Configuration): Layer.Layer<never> =>
  Layer.provideMerge(watchAnswers(configuration.analyzers), namedFilters(configuration))

/** Everything behind the server: the engine, the router over the configured providers and models, the audit trail, keys. */
export const programLayer = (
  configuration: Configuration
): Layer.Layer<
  Engine | Router | AuditTrail | Keys | Ledger | TargetStates,
  StorageError | MigrationError | KeyRefused
> => {
  const database = databaseLayer(configuration)
  return Engine.layer.pipe(
    Layer.provideMerge(limiterLayer(configuration, database)),
    Layer.provideMerge(Layer.succeed(Prices, configuration.prices)),
    Layer.provideMerge(filterLayer(configuration)),
    Layer.provideMerge(ledgerLayer(configuration, database)),
    Layer.provideMerge(signalsLayer(configuration, database)),
    Layer.provideMerge(routerLayer(configuration)),
    Layer.provideMerge(Layer.effect(TargetStates, TargetStates.shared)),
    Layer.provideMerge(
      AuditTrail.layer(auditSettings(configuration.audit, configuration.models)).pipe(
        Layer.provide(storeLayer(configuration, database)),
        Layer.provide(sinksLayer(configuration.audit))
      )
    ),
    Layer.provideMerge(configuration.auth.mode === "keys" ? accessByKeys(configuration) : Layer.empty),
    Layer.provideMerge(keysLayer(configuration, database))
  )
}

/** The router over the configured providers and models. */
export const routerLayer = (configuration: Configuration): Layer.Layer<Router> =>
  Layer.provide(layerTable(modelTable(configuration)), HttpTransport.layer)

const modelTable = Effect.fnUntraced(function* (configuration: Configuration) {
  const providers = new Map<string, TableProvider>()
  for (const settings of configuration.providers) {
    providers.set(settings.name, yield* tableProvider(settings, targetedModels(configuration, settings.name)))
  }
  const { defaults = {} } = configuration
  const models = new Map(
    Object.entries(configuration.models).map(([name, entry]) => [name, listingOf(entry, defaults, providers)])
  )
  yield* showTargets(models)
  const likely = (model: string): ReadonlyArray<string> => {
    const vendor = vendorOf(model)
    if (vendor === undefined) return []
    const named = configuration.providers.filter((settings) => settings._tag === "Http" && settings.preset === vendor)
    return [...new Set([...named.map(({ name }) => name), vendor])]
  }
  return {
    providers,
    models,
    usual: useOf(defaults),
    likely,
    off: new Map(configuration.off.map(({ name, why }) => [name, why])),
    created: Math.floor((yield* Clock.currentTimeMillis) / 1000)
  } satisfies ModelTable
})

/** Targets that are configured are shown before anybody asks them. */
const showTargets = (models: ReadonlyMap<string, Listing>): Effect.Effect<void> =>
  Effect.map(Effect.serviceOption(TargetStates), (states) => {
    if (states._tag === "None") return
    for (const listing of models.values()) {
      if (listing._tag !== "Plan") continue
      for (const target of listing.plan.targets) {
        states.value.of({ provider: target.provider, model: target.model })
        for (const key of target.keys ?? []) states.value.of(key)
      }
    }
  })

/** What the configuration takes a provider to have. */
const targetedModels = ({ models }: Configuration, provider: string): ReadonlyArray<string> =>
  Object.values(models).flatMap(({ targets = [] }) =>
    targets.flatMap((target) => (target.provider === provider ? [target.model] : []))
  )

const tableProvider = (
  settings: ProviderSettings,
  targeted: ReadonlyArray<string>
): Effect.Effect<TableProvider, never, HttpTransport> => {
  const { models } = settings
  if (settings._tag === "Simulator") {
    return Effect.succeed({ upstream: makeSimulatorUpstream(), models, knows: isSimulated })
  }
  const known = new Set([...models, ...targeted])
  const { keys } = settings
  const { capabilities } = presetOf(settings)
  const provider = {
    models,
    knows: (model: string) => known.has(model),
    ...(capabilities === undefined ? {} : { capabilities })
  }
  if (keys === undefined) return Effect.map(upstreamOf(settings), (upstream) => ({ upstream, ...provider }))
  const keyed = Effect.forEach(keys, ({ label, provider }) =>
    Effect.map(upstreamOf(provider), (upstream) => ({ label, upstream }))
  )
  return Effect.map(keyed, (keys) => ({ upstream: withListing(keys), keys, ...provider }))
}

/** The upstream of the first of several keys; for a list of models the next one does as well. */
const withListing = (keys: NonEmptyReadonlyArray<{ readonly upstream: Upstream["Service"] }>): Upstream["Service"] => {
  const [{ upstream }] = keys
  const listings = keys.flatMap(({ upstream: { listModels } }) => (listModels === undefined ? [] : [listModels]))
  return listings.length === 0 ? upstream : { ...upstream, listModels: Effect.firstSuccessOf(listings) }
}

const upstreamOf = (settings: HttpProvider): Effect.Effect<Upstream["Service"], never, HttpTransport> =>
  settings.signer === undefined
    ? deploymentUpstream(deployment(settings))
    : Effect.flatMap(settings.signer, (signer) => deploymentUpstream({ ...deployment(settings), signer }))

/** A name with an option that is wrong is still a simulated model's, which then says what is wrong. */
const isSimulated = (model: string): boolean => {
  const parsed = parseModelName(model)
  return Result.isSuccess(parsed) || parsed.failure.reason._tag !== "UnknownModel"
}

const presetOf = ({ preset }: Pick<HttpProvider, "preset">): Partial<Preset> =>
  preset === undefined ? {} : presets[preset]

const deployment = ({
  name,
  preset,
  protocols: [first, ...others],
  baseUrl,
  apiKey,
  auth,
  route,
  headers,
  quirks,
  continues
}: HttpProvider): Deployment => ({
  provider: name,
  protocols: [formats[first].protocol, ...others.map((other) => formats[other].protocol)],
  baseUrl,
  // Who speaks several protocols takes the key in the way of each.
  auth: auth ?? ((key) => Object.assign({}, ...[first, ...others].map((format) => formats[format].auth(key)))),
  apiKey,
  headers: Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, Redacted.value(value)])),
  quirks,
  ...present({ route, continues, peculiar: presetOf({ preset }).peculiar })
})
