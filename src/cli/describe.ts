import type { Duration } from "effect"
import { resolve } from "node:path"
import type { Configuration, HttpProvider, ProviderSettings } from "../config/Configuration.ts"
import { formatStorageUrl } from "../config/Document.ts"
import type { DefaultsEntry, ModelEntry, TargetEntry } from "../config/ModelEntry.ts"
import { presets, type Preset } from "../providers/presets.ts"
import { features } from "../routing/Capabilities.ts"
import { toolAnswers } from "../signals/packs/tool-answers.ts"
import { formatProblem } from "../config/problems.ts"
import { formatByteSize, formatDuration } from "../config/units.ts"
import { describeRule } from "./limit-texts.ts"

/** Lines of two columns; the first is as wide as its widest cell. */
export const columns = (rows: ReadonlyArray<readonly [string, string]>, indent = "  "): string => {
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `${indent}${left.padEnd(width)}  ${right}`.trimEnd()).join("\n")
}

/** Where the configuration comes from. */
export const describeSource = ({ file }: Configuration): string =>
  file ?? "none found (./millrace.yaml, .json, .toml): the defaults, and the keys in the environment"

/** Where records are kept, as a path that holds wherever it is read. */
export const describeStorage = ({ storage }: Configuration): string => {
  if (storage._tag === "Sqlite") return resolve(storage.filename)
  return storage._tag === "Memory" ? "in memory, gone when the server stops" : formatStorageUrl(storage)
}

const describeProvider = (settings: ProviderSettings): string => {
  if (settings._tag === "Simulator") return `simulated models: ${settings.models.join(", ")}`
  const { protocols, baseUrl, apiKey, keys, preset, signer, headers, quirks } = settings
  const lacks = lacking(preset)
  const names = Object.keys(headers)
  return [
    `${protocols.join(" and ")} at ${baseUrl}`,
    keys !== undefined
      ? `with the keys ${keys.map(({ label }) => label).join(", ")}`
      : apiKey !== undefined
        ? "with a key"
        : signer === undefined
          ? "no key"
          : "with credentials",
    ...(names.length === 0 ? [] : [`headers ${names.join(", ")}`]),
    ...Object.keys(quirks),
    ...(lacks.length === 0 ? [] : [`without ${lacks.join(" and ")}`])
  ].join(", ")
}

/** What no model of a vendor can do. */
const lacking = (preset: HttpProvider["preset"]): ReadonlyArray<string> => {
  const { capabilities }: Partial<Preset> = preset === undefined ? {} : presets[preset]
  return features.filter((feature) => capabilities?.features?.includes(feature) === false)
}

type Setting = number | Duration.Duration

const describeSettings = (name: string, settings: { readonly [name: string]: Setting } = {}): ReadonlyArray<string> => {
  const said = Object.entries(settings).map(
    ([key, value]) => `${key} ${typeof value === "number" ? value : formatDuration(value)}`
  )
  return said.length === 0 ? [] : [`${name} ${said.join(", ")}`]
}

const describeTarget = ({ provider, model, weight, limits }: TargetEntry): string => {
  const said = [
    ...(weight === undefined ? [] : [`weight ${weight}`]),
    ...(limits === undefined ? [] : [`${limits.concurrency} at a time`])
  ]
  return `${provider}/${model}${said.length === 0 ? "" : ` (${said.join(", ")})`}`
}

/** How targets are used of which nothing is said. */
const usualUse: DefaultsEntry = { strategy: "ordered", affinity: "off", onDisconnect: "cancel", rescue: "auto" }

/** What is said of how targets are used, as far as it is not what is usual. */
const describeUse = (entry: DefaultsEntry, usual: DefaultsEntry): ReadonlyArray<string> => {
  const { breaker, drain, fallbackOn, retry, timeouts } = entry
  const unusual = (name: "strategy" | "affinity" | "onDisconnect" | "rescue", told: (value: string) => string) => {
    const value = entry[name]
    return value === undefined || value === usual[name] ? [] : [told(value)]
  }
  return [
    ...unusual("strategy", (strategy) => strategy),
    ...describeSettings("timeouts", timeouts),
    ...describeSettings("retry", retry),
    ...describeSettings("breaker", breaker),
    ...unusual("affinity", (affinity) => (affinity === "off" ? "no affinity" : `affinity by ${affinity}`)),
    ...(fallbackOn === undefined ? [] : [`fallback on ${fallbackOn.join(", ") || "no refusal"}`]),
    ...unusual("rescue", (rescue) => `rescue ${rescue}`),
    ...unusual("onDisconnect", (onDisconnect) => `${onDisconnect} when the caller leaves`),
    ...describeSettings("drain", drain)
  ]
}

const describeModel = (entry: ModelEntry, { audit, defaults }: Configuration): string => {
  const { alias, capture, captureLimit, filters = [], hedge, targets, upstream } = entry
  if (alias !== undefined) return `is ${alias}`
  const usual = { ...usualUse, ...defaults }
  const strategy = entry.strategy ?? usual.strategy
  return [
    (targets ?? []).map(describeTarget).join(strategy === "ordered" ? ", then " : ", "),
    ...describeUse(entry, usual),
    ...describeSettings("hedge", hedge),
    ...(upstream === undefined ? [] : ["always streamed upstream"]),
    ...(filters.length === 0 ? [] : [`filters ${filters.join(", ")}`]),
    ...(capture === undefined || capture === audit.capture ? [] : [`capture ${capture}`]),
    ...(captureLimit === undefined ? [] : [`captured up to ${formatByteSize(captureLimit)}`])
  ].join("; ")
}

/** The providers that are on, one on each line. */
const describeProviders = ({ providers }: Configuration): string =>
  providers.length === 0 ? "  none" : columns(providers.map((settings) => [settings.name, describeProvider(settings)]))

/** The models that the configuration names, one on each line. */
const describeModels = (configuration: Configuration): string =>
  columns(Object.entries(configuration.models).map(([name, entry]) => [name, describeModel(entry, configuration)]))

/** What is worth a look, one on each line. */
export const describeWarnings = ({ warnings }: Configuration): string =>
  warnings.map((warning) => `warning: ${formatProblem(warning)}`).join("\n")

const describeCallers = ({ auth }: Configuration): string => {
  if (auth.mode === "open") return "anybody who reaches the server"
  const named = auth.keys.map(({ name }) => name)
  return [
    "whoever has a key",
    named.length === 0 ? "none in the document" : `in the document ${named.join(", ")}`,
    auth.adminKey === undefined ? "no administrator (auth.adminKey)" : "and the administrator"
  ].join(", ")
}

const describeSignals = ({ signals }: Configuration): string => {
  if (signals === undefined) return "conversations are not read"
  const languages = new Set((signals.packs ?? []).map(({ language }) => language))
  languages.delete(toolAnswers.language)
  return [
    `${signals.taxonomy}, patterns in ${[...languages].join(", ") || "no language"}`,
    signals.content === true ? "words of conversations are kept" : "no words are kept"
  ].join("; ")
}

const describeSink = ({ endpoint, kind, path }: Configuration["audit"]["sinks"][number]): string =>
  `${kind} to ${path ?? endpoint}`

/** All of a configuration, without its secrets. */
export const describeConfiguration = (configuration: Configuration): string => {
  const { audit, defaults = {}, everyCall, server, storage } = configuration
  const use = describeUse(defaults, usualUse)
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["configuration", describeSource(configuration)],
    ["listen", `${server.host}, port ${server.port}`],
    [
      "server",
      `bodies up to ${formatByteSize(server.bodyLimit)}, keep-alive ${formatDuration(server.keepAlive)}, ` +
        `shutdown grace ${formatDuration(server.shutdownGrace)}`
    ],
    ["callers", describeCallers(configuration)],
    ["records", formatStorageUrl(storage)],
    ["audit", `durability ${audit.durability}, on failure ${audit.onFailure}, capture ${audit.capture}`],
    ...audit.sinks.map((sink) => ["copies", describeSink(sink)] as const),
    ...configuration.limits.map((rule) => ["limit", describeRule(rule)] as const),
    ["prices", `${configuration.prices.version}, of ${configuration.prices.size} models`],
    ["signals", describeSignals(configuration)],
    ...(everyCall.filters.length === 0 ? [] : [["every call", `filters ${everyCall.filters.join(", ")}`] as const]),
    ...(use.length === 0 ? [] : [["defaults", use.join("; ")] as const])
  ]
  const off = configuration.off.map(({ name, why }) => [name, why] as const)
  return [
    columns(rows, ""),
    `\nproviders\n${describeProviders(configuration)}`,
    ...(off.length === 0 ? [] : [`\nproviders that are off\n${columns(off)}`]),
    ...(Object.keys(configuration.models).length === 0 ? [] : [`\nmodels\n${describeModels(configuration)}`])
  ].join("\n")
}
