import { Result } from "effect"
import { cloudNames, cloudSettings } from "../providers/clouds.ts"
import { cloudOf, formatNames, pathAtEnd, usualUrl, usualFormat } from "../providers/formats.ts"
import { presetNames, presets, type Preset } from "../providers/presets.ts"
import { parseModelName } from "../providers/simulator/ModelName.ts"
import { checkAnalyzers } from "./analyzers.ts"
import { checkSinks } from "./audit.ts"
import { checkAuthentication } from "./authentication.ts"
import { checkFilters } from "./filter-checks.ts"
import { checkLimits } from "./limits.ts"
import { checkGivenNames, checkHeaders } from "./names.ts"
import { didYouMean, type Finding, nobodyNamed, type Path } from "./problems.ts"
import { isSection } from "./substitute.ts"

type Section = { readonly [key: string]: unknown }

/**
 * What must hold between the parts of a document. Asked of the plain data, so that these are found along with whatever
 * the Schema finds; what the Schema refuses is passed over here.
 *
 * `environment` are the providers there are where the document has none of its own.
 */
export const checkDocument = (document: unknown, environment: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const root = isSection(document) ? document : {}
  const providers = sections(root["providers"], ["providers"])
  const models = sections(root["models"], ["models"])
  const names = root["providers"] === undefined ? environment : keysOf(root["providers"])
  const simulators = new Set(
    root["providers"] === undefined
      ? ["simulator"]
      : providers.flatMap(({ name, section }) => (section["protocol"] === "simulator" ? [name] : []))
  )
  return [
    ...checkAnalyzers(document),
    ...checkFilters(root, names),
    ...checkGivenNames(root),
    ...providers.flatMap(checkProvider),
    ...checkAuthentication(root),
    ...checkLimits(root),
    ...checkSinks(root),
    ...models.flatMap((model) => [
      ...checkModel(model),
      ...checkAlias(model, models, names),
      ...checkTargets(model, names, simulators),
      ...checkHedge(model),
      ...checkDrain(model, root["defaults"])
    ])
  ]
}

interface Named {
  readonly name: string
  readonly path: Path
  readonly section: Section
}

const keysOf = (value: unknown): ReadonlyArray<string> => (isSection(value) ? Object.keys(value) : [])

const sections = (value: unknown, path: Path): ReadonlyArray<Named> =>
  isSection(value)
    ? Object.entries(value).flatMap(([name, section]) =>
        isSection(section) ? [{ name, path: [...path, name], section }] : []
      )
    : []

const ofSimulator = new Set(["protocol", "models"])

const checkProvider = ({ name, path, section }: Named): ReadonlyArray<Finding> => {
  const { protocol, preset, baseUrl } = section
  if (protocol === "simulator") {
    return Object.keys(section)
      .filter((key) => !ofSimulator.has(key))
      .map((key) => ({ path: [...path, key], message: "means nothing to the simulator; remove it" }))
  }
  if (Array.isArray(protocol) && protocol.includes("simulator")) {
    return [
      { path: [...path, "protocol"], message: "cannot list the simulator with others; make it a provider of its own" }
    ]
  }
  const inCloud = [
    ...checkKeys(path, section),
    ...checkHeaders([...path, "headers"], section["headers"]),
    ...checkAddress(path, baseUrl),
    ...checkCloud(path, section)
  ]
  if (preset !== undefined) return inCloud
  const known = presetNames.includes(name as never) ? `preset: ${name}, or ` : ""
  if (protocol === undefined) {
    return [...inCloud, { path, message: `does not say what it speaks; add ${known}protocol: and baseUrl:` }]
  }
  if (baseUrl !== undefined) return inCloud
  const first: unknown = Array.isArray(protocol) ? protocol[0] : protocol
  const format = formatNames.find((known) => known === first) ?? usualFormat
  const example = usualUrl(format)
  if (example === undefined) return inCloud
  return [...inCloud, { path, message: `does not say where it is; add ${known}baseUrl: (such as ${example})` }]
}

const checkKeys = (path: Path, { apiKey, apiKeys }: Section): ReadonlyArray<Finding> => {
  if (!Array.isArray(apiKeys)) return []
  const labels = apiKeys.map((key: unknown, index) => (isSection(key) ? key["label"] : `key-${index + 1}`))
  return [
    ...(apiKey === undefined
      ? []
      : [{ path: [...path, "apiKey"], message: "is one key too many; put it into apiKeys" }]),
    ...labels.flatMap((label, index) =>
      typeof label === "string" && labels.indexOf(label) < index
        ? [{ path: [...path, "apiKeys", index], message: `has the label ${label} of another key; give it its own` }]
        : []
    )
  ]
}

/** An address that is copied from an example of a call has the path of the API in it. */
const checkAddress = (path: Path, baseUrl: unknown): ReadonlyArray<Finding> => {
  const end = typeof baseUrl === "string" ? pathAtEnd(baseUrl) : undefined
  return end === undefined
    ? []
    : [{ path: [...path, "baseUrl"], message: `ends in ${end}, which every call adds by itself; leave that out` }]
}

/** What a cloud serves, and what is said to others than it concerns. */
const checkCloud = (path: Path, { preset, protocol, ...section }: Section): ReadonlyArray<Finding> => {
  const named = (Array.isArray(protocol) ? protocol : [protocol]).filter((name) => name !== undefined)
  const known = presetNames.find((name) => name === preset)
  const meant: Preset | undefined = known === undefined ? undefined : presets[known]
  const format = formatNames.find((name) => name === named[0])
  const cloud = meant?.cloud ?? (format === undefined ? undefined : cloudOf(format))
  const findings = Object.entries(cloudSettings)
    .filter(([setting, clouds]) => setting in section && (cloud === undefined || !clouds.includes(cloud)))
    .map(([setting, clouds]) => ({
      path: [...path, setting],
      message: `means nothing here: it is for ${clouds.map((other) => cloudNames[other]).join(" and ")}; remove it`
    }))
  if (meant?.cloud === undefined || !isAmong(named, formatNames)) return findings
  const { protocols, others = [] } = meant
  if (isAmong(named, protocols) || (named.length === 1 && isAmong(named, others))) return findings
  const own = protocols.length === 1 ? protocols : [`[${protocols.join(", ")}]`]
  const message = `is not what the preset ${known} serves; write ${[...own, ...others].join(" or ")}`
  return [...findings, { path: [...path, "protocol"], message }]
}

const isAmong = (named: ReadonlyArray<unknown>, formats: ReadonlyArray<unknown>): boolean =>
  named.every((name) => formats.includes(name))

const checkModel = ({ path, section }: Named): ReadonlyArray<Finding> => {
  if (section["alias"] === undefined) {
    return section["targets"] === undefined
      ? [
          {
            path,
            message: "leads nowhere; add targets: (a list of provider and model), or alias: (another model's name)"
          }
        ]
      : []
  }
  return Object.keys(section)
    .filter((key) => key !== "alias")
    .map((key) => ({
      path: [...path, key],
      message: "cannot go with alias, which takes everything from the model it names; remove it"
    }))
}

const checkAlias = (
  { name, path, section }: Named,
  models: ReadonlyArray<Named>,
  providers: ReadonlyArray<string>
): ReadonlyArray<Finding> => {
  const { alias } = section
  if (typeof alias !== "string" || alias === "") return []
  const at = [...path, "alias"]
  const meant = models.find((model) => model.name === alias)
  if (meant !== undefined) {
    return meant.section["alias"] === undefined
      ? []
      : [
          {
            path: at,
            message: `names ${JSON.stringify(alias)}, which is an alias itself; name the model it stands for`
          }
        ]
  }
  const others = models.map((model) => model.name).filter((other) => other !== name)
  const message = nobodyNamed(alias, others, providers)
  return message === undefined ? [] : [{ path: at, message }]
}

/** A second target is asked beside the first: there has to be one. */
const checkHedge = ({ path, section }: Named): ReadonlyArray<Finding> => {
  const { hedge, targets } = section
  return hedge === undefined || !Array.isArray(targets) || targets.length !== 1
    ? []
    : [{ path: [...path, "hedge"], message: "asks a second target, and there is only one; add one, or remove it" }]
}

/** What bounds the reading on does nothing where nothing is read on. */
const checkDrain = ({ path, section }: Named, defaults: unknown): ReadonlyArray<Finding> => {
  const usual = isSection(defaults) ? defaults["onDisconnect"] : undefined
  const { drain, onDisconnect = usual } = section
  return drain === undefined || onDisconnect === "drain"
    ? []
    : [
        {
          path: [...path, "drain"],
          message: "bounds what is read on for a caller who left, and nothing is; add onDisconnect: drain, or remove it"
        }
      ]
}

const checkTargets = (
  { path, section }: Named,
  providers: ReadonlyArray<string>,
  simulators: ReadonlySet<string>
): ReadonlyArray<Finding> => {
  const targets: ReadonlyArray<unknown> = Array.isArray(section["targets"]) ? section["targets"] : []
  return targets.flatMap((target, index): ReadonlyArray<Finding> => {
    if (!isSection(target)) return []
    const { provider, model } = target
    const at = [...path, "targets", index]
    if (typeof provider !== "string" || provider === "") return []
    if (!providers.includes(provider)) {
      const there = providers.length === 0 ? "none is configured" : `there are ${providers.join(", ")}`
      return [
        {
          path: [...at, "provider"],
          message: `names ${JSON.stringify(provider)}, which is no configured provider${didYouMean(provider, providers)} (${there})`
        }
      ]
    }
    if (!simulators.has(provider) || typeof model !== "string") return []
    const parsed = parseModelName(model)
    return Result.isFailure(parsed)
      ? [{ path: [...at, "model"], message: `is not usable: ${parsed.failure.message}` }]
      : []
  })
}
