import { Redacted, Result } from "effect"
import { bedrockAccess, bedrockVariables } from "../providers/aws.ts"
import { type FormatName, isOfAws } from "../providers/formats.ts"
import { presets, type Preset, type PresetName } from "../providers/presets.ts"
import { simulatedModels } from "../providers/simulator/ModelName.ts"
import type { HttpProvider, ProviderOff, ProviderSettings } from "./Configuration.ts"
import type { ProviderEntry } from "./Document.ts"
import type { Finding } from "./problems.ts"

/** The providers of a program: those that are on, those that are off, and what is worth a warning. */
export interface Providers {
  readonly on: ReadonlyArray<ProviderSettings>
  readonly off: ReadonlyArray<ProviderOff>
  readonly warnings: ReadonlyArray<Finding>
}

type Environment = ReadonlyMap<string, string>

const vendors: ReadonlyArray<readonly [PresetName, Preset]> = Object.entries(presets) as Array<[PresetName, Preset]> // of a literal

/** The environment variables that say which providers there are and where. */
export const providerVariables: ReadonlyArray<string> = [
  ...vendors.flatMap(([, { keyVariable, baseUrlVariable }]) =>
    [keyVariable, baseUrlVariable].filter((name) => name !== undefined)
  ),
  ...bedrockVariables
]

/** The names that providers can have where no document names them. */
export const environmentProviders: ReadonlyArray<string> = [
  "simulator",
  ...vendors.flatMap(([name, { keyVariable }]) => (keyVariable === undefined ? [] : [name]))
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
export const providersOfEnvironment = (environment: Environment): Providers => {
  const on: Array<ProviderSettings> = [simulator("simulator")]
  const off: Array<ProviderOff> = []
  const warnings: Array<Finding> = []
  for (const [name, { keyVariable, baseUrlVariable }] of vendors) {
    if (keyVariable === undefined) continue
    const key = environment.get(keyVariable)
    if (key === undefined) off.push({ name, why: `${keyVariable} is not set` })
    else {
      const settings = ofPreset(name, name, environment)
      if (URL.canParse(settings.baseUrl)) on.push({ ...settings, apiKey: Redacted.make(key) })
      else off.push({ name, why: `${baseUrlVariable} is no URL` })
    }
  }
  return { on, off, warnings }
}

/**
 * The providers that a document lists. `missingKeys` are variables without a value that a key consists of: such a
 * provider is off, with a warning.
 */
export const providersOfDocument = (
  entries: { readonly [name: string]: ProviderEntry },
  environment: Environment,
  missingKeys: ReadonlyMap<string, string>
): Providers => {
  const on: Array<ProviderSettings> = []
  const off: Array<ProviderOff> = []
  const warnings: Array<Finding> = []
  for (const [name, entry] of Object.entries(entries)) {
    if (entry.protocol === "simulator") {
      on.push(simulator(name, entry.models))
      continue
    }
    const keyVariable = usualKeyVariable(entry.preset)
    const key = entry.apiKey ?? redacted(environment.get(keyVariable ?? ""))
    const settings = ofEntry(name, entry, key, environment)
    const access = accessTo(settings, entry.region, environment)
    const missing =
      missingKeys.get(name) ??
      (key === undefined ? keyVariable : undefined) ??
      (Result.isFailure(access) ? access.failure : undefined)
    if (missing === undefined && Result.isSuccess(access)) on.push({ ...settings, ...access.success })
    else {
      off.push({ name, why: `${missing} is not set` })
      const path = ["providers", name, ...(missingKeys.has(name) ? ["apiKey"] : [])]
      warnings.push({
        path,
        message: `the provider is off because ${missing} is not set; set it to turn the provider on`
      })
    }
  }
  return { on, off, warnings }
}

/** What a provider in a cloud is called with beside its settings, or the variable that is not set. */
const accessTo = (
  { protocols, apiKey, baseUrl }: HttpProvider,
  region: string | undefined,
  environment: Environment
): Result.Result<Partial<Pick<HttpProvider, "apiKey" | "baseUrl" | "signer">>, string> => {
  if (!isOfAws(protocols[0])) return Result.succeed({})
  const settings = {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(region === undefined ? {} : { region }),
    ...(baseUrl === "" ? {} : { baseUrl })
  }
  return Result.map(bedrockAccess(settings, environment), ({ auth: _, ...access }) => access)
}

const redacted = (key: string | undefined) => (key === undefined ? undefined : Redacted.make(key))

const ofEntry = (
  name: string,
  entry: ProviderEntry,
  apiKey: Redacted.Redacted | undefined,
  environment: Environment
): HttpProvider => {
  const base = ofPreset(name, entry.preset ?? "openai", entry.preset === undefined ? new Map() : environment)
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
    models: entry.models ?? []
  }
}

/** Clouds have an address of their own in every region: it is settled with the access to them. */
const defaultUrl = ({ preset, protocol }: ProviderEntry, base: HttpProvider): string =>
  preset === undefined && protocol !== undefined && isOfAws(protocolsOf(protocol)[0]) ? "" : base.baseUrl

const protocolsOf = (protocol: NonNullable<ProviderEntry["protocol"]>): HttpProvider["protocols"] =>
  // The simulator stands alone, which was checked before.
  (typeof protocol === "string" ? [protocol] : protocol) as readonly [FormatName, ...ReadonlyArray<FormatName>]
