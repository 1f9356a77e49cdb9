import { Config, Effect, type FileSystem, type Path as FilePath, Result } from "effect"
import type { PriceBook } from "../accounting/PriceBook.ts"
import { analyzersOf } from "./analyzers.ts"
import { checkDocument } from "./checks.ts"
import { readServiceAccounts, type ServiceAccounts } from "./clouds.ts"
import type { Configuration } from "./Configuration.ts"
import { decodeDocument } from "./decode.ts"
import type { Document } from "./Document.ts"
import { packsOf } from "../signals/built-in.ts"
import type { LanguagePack } from "../signals/LanguagePack.ts"
import { readPacks } from "./packs.ts"
import { exposure, type Flags, listening, portProblems, selfReferences, withoutOwnUrl } from "./listening.ts"
import { authenticationOf, literalCallerKeys, pepperProblems, pepperVariable } from "./authentication.ts"
import { unusableFilters } from "./filter-checks.ts"
import { ConfigurationError, didYouMean, type Finding, formatPath, type Path, type Problem } from "./problems.ts"
import { retentionOf } from "./retention.ts"
import { readPrices } from "./prices.ts"
import {
  environmentProviders,
  providersOfDocument,
  providersOfEnvironment,
  providerVariables,
  usualKeyVariable
} from "./providers.ts"
import { readSource, type Source } from "./source.ts"
import {
  field,
  isSection,
  type MissingKey,
  refersToEnvironment,
  substitute,
  type Substituted,
  variablesOf
} from "./substitute.ts"

/**
 * Reads the configuration: the file named by `--config`, `MILLRACE_CONFIG`, or `millrace.yaml`, `.json` or `.toml` in the
 * working directory, else the defaults; then the environment and the flags. Fails with everything that is wrong at once.
 */
export const load = (
  flags: Flags = {}
): Effect.Effect<Configuration, ConfigurationError, FileSystem.FileSystem | FilePath.Path> =>
  Effect.gen(function* () {
    const settings = yield* readVariables(["HOST", "PORT", "MILLRACE_CONFIG", pepperVariable, ...providerVariables])
    const source = yield* readSource(flags.config, settings.get("MILLRACE_CONFIG"))
    const environment = new Map([...settings, ...(yield* readVariables(variablesOf(source.value)))])
    const substituted = substitute(source.value, environment)
    const accounts = yield* readServiceAccounts(substituted.value, environment)
    const prices = yield* readPrices(substituted.value)
    const packs = yield* readPacks(substituted.value)
    return yield* Effect.fromResult(configure(source, substituted, environment, { accounts, prices, packs }, flags))
  })

/**
 * Variables that are set to something. One that is set to nothing is as good as absent: that is how they are unset in
 * compose files.
 */
const readVariables = (names: Iterable<string>): Effect.Effect<ReadonlyMap<string, string>> =>
  Effect.map(
    Effect.forEach(names, (name) =>
      // A text can only be there or not; what else the provider of the environment might say is a defect.
      Effect.orDie(Effect.map(Config.option(Config.String(name)), (value) => [name, value] as const))
    ),
    (entries) =>
      new Map(
        entries.flatMap(([name, value]) => (value._tag === "Some" && value.value !== "" ? [[name, value.value]] : []))
      )
  )

/** What was read of other files that a document names. */
interface ReadFiles {
  readonly accounts: ServiceAccounts
  readonly prices: Result.Result<PriceBook, Finding>
  readonly packs: Result.Result<ReadonlyArray<LanguagePack>, ReadonlyArray<Finding>>
}

const configure = (
  source: Source,
  { value, findings: substituted, missingKeys }: Substituted,
  environment: ReadonlyMap<string, string>,
  { accounts, prices, packs }: ReadFiles,
  flags: Flags
): Result.Result<Configuration, ConfigurationError> => {
  const decoded = decodeDocument(value, source.value)
  const exposed = exposure(value, environment, flags)
  const findings = once([
    ...substituted,
    ...Result.match(decoded, {
      onFailure: (failures) => failures,
      onSuccess: (document) => [
        ...selfReferences(document, listening(document.server, environment, flags)),
        ...unusableFilters(document.filters)
      ]
    }),
    ...checkDocument(value, environmentProviders),
    ...(Result.isFailure(prices) ? [prices.failure] : []),
    ...(Result.isFailure(packs) ? packs.failure : []),
    ...exposed.findings
  ])
  const problems = [
    ...inOrder(source, findings),
    ...portProblems(environment, flags),
    ...pepperProblems(value, environment),
    ...exposed.problems
  ]
  return Result.isFailure(decoded) || Result.isFailure(prices) || Result.isFailure(packs) || problems.length > 0
    ? Result.fail(new ConfigurationError({ problems }))
    : Result.succeed(
        settle(
          source,
          decoded.success,
          environment,
          missingKeys,
          { accounts, prices: prices.success, packs: packs.success },
          flags
        )
      )
}

interface SoundFiles {
  readonly accounts: ServiceAccounts
  readonly prices: PriceBook
  readonly packs: ReadonlyArray<LanguagePack>
}

/** A sound document with everything around it taken into account. */
const settle = (
  source: Source,
  document: Document,
  environment: ReadonlyMap<string, string>,
  missingKeys: ReadonlyArray<MissingKey>,
  { accounts, prices, packs }: SoundFiles,
  flags: Flags
): Configuration => {
  const server = listening(document.server, environment, flags)
  const usable = withoutOwnUrl(environment, providerVariables, server)
  const providers =
    document.providers === undefined
      ? providersOfEnvironment(usable.environment, accounts)
      : providersOfDocument(document.providers, usable.environment, missingKeys, accounts)
  const off = new Set(providers.off.map(({ name }) => name))
  const findings = [
    ...providers.warnings,
    ...literalKeys(source.value),
    ...literalCallerKeys(source.value),
    ...idleTargets(document, off),
    ...doubtfulNames(document)
  ]
  return {
    file: source.file,
    server,
    storage: document.storage.url,
    providers: providers.on,
    off: providers.off,
    models: document.models,
    ...(document.defaults === undefined ? {} : { defaults: document.defaults }),
    audit: document.audit,
    auth: authenticationOf(document.auth, environment),
    limits: document.limits,
    prices,
    signals: signalSettings(document, packs),
    filters: document.filters,
    everyCall: document.everyCall,
    analyzers: analyzersOf(document.analyzers, document.signals.languages),
    warnings: [...source.warnings, ...inOrder(source, findings), ...usable.warnings]
  }
}

const signalSettings = ({ audit, signals }: Document, own: ReadonlyArray<LanguagePack>): Configuration["signals"] => {
  const { content, enabled, flagSpans, languages, retention = audit.retention, taxonomy } = signals
  return enabled
    ? { taxonomy, content, flagSpans, packs: packsOf(languages, own), ...retentionOf(retention) }
    : undefined
}

const place = (source: Source, { path, message }: Finding): Problem => ({
  ...(source.file === undefined ? {} : { file: source.file, ...source.locate(path) }),
  path: formatPath(path),
  message
})

const inOrder = (source: Source, findings: ReadonlyArray<Finding>): ReadonlyArray<Problem> =>
  findings
    .map((finding) => place(source, finding))
    .toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))

/** The first finding for each path: what comes later is a consequence. */
const once = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const seen = new Set<string>()
  return findings.filter(({ path }) => {
    const name = formatPath(path)
    return !seen.has(name) && seen.add(name)
  })
}

const literalKeys = (written: unknown): ReadonlyArray<Finding> => {
  const providers = isSection(written) && isSection(written["providers"]) ? written["providers"] : {}
  return Object.keys(providers).flatMap((name): ReadonlyArray<Finding> => {
    const variable =
      usualKeyVariable(field(providers, name, "preset")) ?? `${name.toUpperCase().replaceAll(/\W/g, "_")}_API_KEY`
    const listed = field(providers, name, "apiKeys")
    const keys = [
      { path: ["apiKey"], key: field(providers, name, "apiKey") },
      ...(Array.isArray(listed) ? listed : []).map((key: unknown, index) => ({
        path: ["apiKeys", index],
        key: isSection(key) ? key["key"] : key
      }))
    ]
    return keys.flatMap(({ path, key }): ReadonlyArray<Finding> => {
      if (typeof key !== "string" || refersToEnvironment(key)) return []
      const message = `the key stands in the file itself; keep it in the environment and write "\${${variable}}"`
      return [{ path: ["providers", name, ...path], message }]
    })
  })
}

/** Targets whose provider is off: they are left out, and a model without any other is not there. */
const idleTargets = (document: Document, off: ReadonlySet<string>): ReadonlyArray<Finding> =>
  Object.entries(document.models).flatMap(([name, { targets = [] }]) => {
    const idle = targets.flatMap(({ provider }, index) => (off.has(provider) ? [{ provider, index }] : []))
    const path: Path = ["models", name, "targets"]
    return idle.length > 0 && idle.length === targets.length
      ? [{ path, message: "every provider of this model is off, so calls to it fail" }]
      : idle.map(({ provider, index }) => ({
          path: [...path, index],
          message: `the provider ${provider} is off, so this target is left out`
        }))
  })

/**
 * Rules and keys about a model that is nearly one of the document. It may be one that only a provider knows, so this is no
 * error; but a rule of a name that is misspelt limits nothing.
 */
const doubtfulNames = ({ auth, limits, models, providers = {} }: Document): ReadonlyArray<Finding> => {
  const known = Object.keys(models)
  const usable = new Set([...known, ...Object.values(providers).flatMap(({ models = [] }) => models)])
  const named: ReadonlyArray<readonly [name: string, path: Path]> = [
    ...limits.flatMap(({ model }, index) =>
      model === undefined ? [] : [[model, ["limits", index, "model"]] as const]
    ),
    ...(auth.keys ?? []).flatMap(({ models = [] }, index) =>
      models.map((name, at) => [name, ["auth", "keys", index, "models", at]] as const)
    )
  ]
  return named.flatMap(([name, path]) => {
    const hint = usable.has(name) || /[*/]/.test(name) ? "" : didYouMean(name, known)
    return hint === ""
      ? []
      : [{ path, message: `names ${JSON.stringify(name)}, which is no model of this document${hint}` }]
  })
}
