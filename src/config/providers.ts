import { Redacted, Result } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import { cloudVariables } from "../providers/clouds.ts"
import { cloudOf, type FormatName } from "../providers/formats.ts"
import { presets, usualPreset, type Preset, type PresetName } from "../providers/presets.ts"
import { simulatedModels } from "../providers/simulator/ModelName.ts"
import { accessTo, cloudOfProvider, type ServiceAccounts } from "./clouds.ts"
import type { HttpProvider, ProviderOff, ProviderSettings } from "./Configuration.ts"
import type { ProviderEntry } from "./Document.ts"
import { isHeaderValue } from "./names.ts"
import type { Finding } from "./problems.ts"
import type { MissingKey } from "./substitute.ts"

/** The providers of a program: those that are on, those that are off, and what is worth a warning. */
export interface Providers {
  readonly on: ReadonlyArray<ProviderSettings>
  readonly off: ReadonlyArray<ProviderOff>
  readonly warnings: ReadonlyArray<Finding>
}

type Environment = ReadonlyMap<string, string>

const vendors: ReadonlyArray<readonly [PresetName, Preset]> = Object.entries(presets) as Array<[PresetName, Preset]> // of a literal

/** Whether a vendor without any configuration is a provider as soon as the environment has what it takes to call it. */
const isFoundByKey = ({ keyVariable, cloud }: Preset): boolean => keyVariable !== undefined || cloud !== undefined

/** The environment variables that say which providers there are and where. */
export const providerVariables: ReadonlyArray<string> = [
  ...vendors.flatMap(([, { keyVariable, baseUrlVariable }]) =>
    [keyVariable, baseUrlVariable].filter((name) => name !== undefined)
  ),
  ...cloudVariables
]

/** The names that providers can have where no document names them. */
export const environmentProviders: ReadonlyArray<string> = [
  "simulator",
  ...vendors.flatMap(([name, preset]) => (isFoundByKey(preset) ? [name] : []))
]

/** The variable in which users of a vendor keep their key. */
export const usualKeyVariable = (preset: unknown): string | undefined =>
  vendors.find(([name]) => name === preset)?.[1].keyVariable

const simulator = (name: string, models: ReadonlyArray<string> = []): ProviderSettings => ({
  _tag: "Simulator",
  name,
  models: [...simulatedModels, ...models]
})

const withoutSlash = (url: string): string => url.replace(/\/+$/, "")

const ofPreset = (name: string, preset: PresetName, environment: Environment): HttpProvider => {
  const { protocols, baseUrl, baseUrlVariable, quirks }: Preset = presets[preset]
  return {
    _tag: "Http",
    name,
    preset,
    protocols,
    baseUrl: withoutSlash(environment.get(baseUrlVariable ?? "") ?? baseUrl),
    apiKey: undefined,
    headers: {},
    quirks,
    models: []
  }
}

/** The simulator, and every vendor whose usual key is in the environment. */
export const providersOfEnvironment = (environment: Environment, accounts: ServiceAccounts): Providers => {
  const on: Array<ProviderSettings> = [simulator("simulator")]
  const off: Array<ProviderOff> = []
  const warnings: Array<Finding> = []
  for (const [name, preset] of vendors) {
    if (!isFoundByKey(preset)) continue
    const settings = opened(name, { preset: name }, environment, accounts)
    if (Result.isSuccess(settings)) on.push(settings.success)
    else off.push({ name, why: settings.failure })
  }
  return { on, off, warnings }
}

/**
 * The providers that a document lists. `missingKeys` are keys that refer to a variable without a value: a
 * provider without any other is off, with a warning.
 */
export const providersOfDocument = (
  entries: { readonly [name: string]: ProviderEntry },
  environment: Environment,
  missingKeys: ReadonlyArray<MissingKey>,
  accounts: ServiceAccounts
): Providers => {
  const on: Array<ProviderSettings> = []
  const off: Array<ProviderOff> = []
  const warnings: Array<Finding> = []
  for (const [name, entry] of Object.entries(entries)) {
    if (entry.protocol === "simulator") {
      on.push(simulator(name, entry.models))
      continue
    }
    const unset = missingKeys.filter(({ provider }) => provider === name)
    const missing = unset.find(({ index }) => index === undefined)?.variable
    const settings =
      missing === undefined ? openedByKeys(name, entry, environment, accounts) : Result.fail(`${missing} is not set`)
    if (Result.isSuccess(settings)) {
      on.push(settings.success)
      warnings.push(...unset.map(({ index = 0, variable }) => leftOut(name, index, variable)))
    } else {
      const why = settings.failure
      off.push({ name, why })
      const mend = why.endsWith(" is not set") && entry.apiKeys === undefined ? "set it" : "mend that"
      warnings.push({
        path: [
          "providers",
          name,
          ...(missing === undefined ? (entry.apiKeys === undefined ? [] : ["apiKeys"]) : ["apiKey"])
        ],
        message: `the provider is off because ${why}; ${mend} to turn the provider on`
      })
    }
  }
  return { on, off, warnings }
}

const leftOut = (name: string, index: number, variable: string): Finding => ({
  path: ["providers", name, "apiKeys", index],
  message: `the key is left out because ${variable} is not set; set it to use the key`
})

/** A provider by each of its keys, where it lists several; those that are empty are left out. */
const openedByKeys = (
  name: string,
  { apiKeys, ...entry }: ProviderEntry,
  environment: Environment,
  accounts: ServiceAccounts
): Result.Result<HttpProvider, string> => {
  if (apiKeys === undefined) return opened(name, entry, environment, accounts)
  const listed = apiKeys.map((key, index) => (Redacted.isRedacted(key) ? { label: `key-${index + 1}`, key } : key))
  const set = listed.filter(({ key }) => Redacted.value(key) !== "")
  const keys = set.map(({ label, key }) =>
    Result.map(opened(name, { ...entry, apiKey: key }, environment, accounts), (provider) => ({ label, provider }))
  )
  return Result.flatMap(Result.all(keys), (keys) =>
    isReadonlyArrayNonEmpty(keys)
      ? Result.succeed({ ...keys[0].provider, keys })
      : Result.fail("none of its apiKeys is set")
  )
}

/** A provider with all that it takes to call it, or why it cannot be called. */
const opened = (
  name: string,
  entry: ProviderEntry,
  environment: Environment,
  accounts: ServiceAccounts
): Result.Result<HttpProvider, string> => {
  const settings = ofEntry(name, entry, entry.apiKey, environment)
  const access: Result.Result<Partial<HttpProvider>, string> = cloudOfProvider(settings) === undefined
    ? accessByKey(entry, environment)
    : accessTo(settings, entry, environment, accounts)
  if (Result.isFailure(access)) return Result.fail(access.failure)
  const provider = { ...settings, ...access.success }
  const { baseUrlVariable }: Partial<Preset> = entry.preset === undefined ? {} : presets[entry.preset]
  if (provider.apiKey !== undefined && !isHeaderValue(Redacted.value(provider.apiKey)))
    return Result.fail("its key has a line break in it, or a sign that no header can have")
  // What the document says was checked.
  return URL.canParse(provider.baseUrl) ? Result.succeed(provider) : Result.fail(`${baseUrlVariable} is no URL`)
}

const accessByKey = (
  { preset, apiKey }: ProviderEntry,
  environment: Environment
): Result.Result<Pick<HttpProvider, "apiKey">, string> => {
  const variable = usualKeyVariable(preset)
  const key = apiKey ?? redacted(environment.get(variable ?? ""))
  return key === undefined && variable !== undefined
    ? Result.fail(`${variable} is not set`)
    : Result.succeed({ apiKey: key })
}

const redacted = (key: string | undefined) => (key === undefined ? undefined : Redacted.make(key))

const ofEntry = (
  name: string,
  entry: ProviderEntry,
  apiKey: Redacted.Redacted | undefined,
  environment: Environment
): HttpProvider => {
  const base = ofPreset(name, entry.preset ?? usualPreset, entry.preset === undefined ? new Map() : environment)
  return {
    ...base,
    preset: entry.preset,
    protocols: entry.protocol === undefined ? base.protocols : protocolsOf(entry.protocol),
    baseUrl: entry.baseUrl === undefined ? defaultUrl(entry, base) : withoutSlash(entry.baseUrl),
    apiKey,
    headers: entry.headers ?? {},
    quirks: {
      ...(entry.preset === undefined ? {} : base.quirks),
      ...Object.fromEntries((entry.quirks ?? []).map((quirk) => [quirk, true as const]))
    },
    ...(entry.prefill === undefined ? {} : { continues: entry.prefill }),
    models: entry.models ?? []
  }
}

/** Clouds have an address of their own in every region: it is settled with the access to them. */
const defaultUrl = ({ preset, protocol }: ProviderEntry, base: HttpProvider): string =>
  preset === undefined && protocol !== undefined && cloudOf(protocolsOf(protocol)[0]) !== undefined ? "" : base.baseUrl

const protocolsOf = (protocol: NonNullable<ProviderEntry["protocol"]>): HttpProvider["protocols"] =>
  // The simulator stands alone, which was checked before.
  (typeof protocol === "string" ? [protocol] : protocol) as readonly [FormatName, ...ReadonlyArray<FormatName>]
