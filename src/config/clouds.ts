import { Effect, FileSystem, Result } from "effect"
import { type CloudAccess, cloudAccess, cloudSettings, credentialsVariable } from "../providers/clouds.ts"
import { cloudOf, type Cloud } from "../providers/formats.ts"
import { presets, type Preset } from "../providers/presets.ts"
import { parseServiceAccount, type ServiceAccount } from "../providers/service-account.ts"
import type { HttpProvider } from "./Configuration.ts"
import type { ProviderEntry } from "./Document.ts"
import { isSection } from "./substitute.ts"

/** The service accounts of the files that a configuration names, or what is wrong with a file. */
export type ServiceAccounts = ReadonlyMap<string, Result.Result<ServiceAccount, string>>

/** Reads the files with credentials that a document and the environment name. */
export const readServiceAccounts = (
  document: unknown,
  environment: ReadonlyMap<string, string>
): Effect.Effect<ServiceAccounts, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const providers = isSection(document) && isSection(document["providers"]) ? document["providers"] : {}
    const named = Object.values(providers).map((entry) => (isSection(entry) ? entry["credentials"] : undefined))
    const paths = new Set([...named, environment.get(credentialsVariable)].filter((path) => typeof path === "string"))
    const read = (path: string) =>
      Effect.map(Effect.result(files.readFileString(path)), (text) => {
        const account = Result.isFailure(text)
          ? Result.fail(text.failure.reason._tag === "NotFound" ? "is not there" : "cannot be read")
          : parseServiceAccount(text.success)
        return [path, account] as const
      })
    return new Map(yield* Effect.forEach(paths, read))
  })

/** The cloud that a provider is in, by its preset or by what it speaks. */
export const cloudOfProvider = ({
  preset,
  protocols
}: Pick<HttpProvider, "preset" | "protocols">): Cloud | undefined => {
  const { cloud }: Partial<Preset> = preset === undefined ? {} : presets[preset]
  return cloud ?? cloudOf(protocols[0])
}

/** What a provider in a cloud is called with beside its settings, or why it cannot be called. */
export const accessTo = (
  { preset, protocols, apiKey, baseUrl }: HttpProvider,
  entry: ProviderEntry,
  environment: ReadonlyMap<string, string>,
  accounts: ServiceAccounts
): Result.Result<CloudAccess, string> => {
  const { region, apiVersion, project } = entry
  const settings = {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(region === undefined ? {} : { region }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(project === undefined ? {} : { project }),
    ...(baseUrl === "" ? {} : { baseUrl })
  }
  const cloud = cloudOfProvider({ preset, protocols })
  if (cloud === undefined) return Result.succeed({})
  const file = takesCredentials(cloud) ? (entry.credentials ?? environment.get(credentialsVariable)) : undefined
  const found = apiKey !== undefined || file === undefined ? undefined : accounts.get(file)
  if (found !== undefined && Result.isFailure(found)) return Result.fail(`${file} ${found.failure}`)
  const account = found === undefined ? {} : { account: found.success }
  return Result.mapError(
    cloudAccess(cloud, { ...settings, ...account }, environment),
    (variable) => `${variable} is not set`
  )
}

const takesCredentials = (cloud: Cloud): boolean => cloudSettings["credentials"]?.includes(cloud) === true
