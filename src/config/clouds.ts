import { Effect, FileSystem, Result } from "effect"
import { bedrockAccess, bedrockVariables } from "../providers/aws.ts"
import { azureAccess, azureVariables } from "../providers/azure.ts"
import { cloudOf, type Cloud } from "../providers/formats.ts"
import { presets, type Preset } from "../providers/presets.ts"
import { parseServiceAccount, type ServiceAccount } from "../providers/service-account.ts"
import { vertexAccess, vertexVariables } from "../providers/vertex.ts"
import type { HttpProvider } from "./Configuration.ts"
import type { ProviderEntry } from "./Document.ts"
import { isSection } from "./substitute.ts"

/** The environment variables that say where clouds are and who calls them. */
export const cloudVariables: ReadonlyArray<string> = [...bedrockVariables, ...azureVariables, ...vertexVariables]

/** The settings of a provider that only some clouds have, with the clouds that have them. */
export const cloudSettings: { readonly [setting: string]: ReadonlyArray<Cloud> } = {
  region: ["aws", "vertex"],
  apiVersion: ["azure"],
  project: ["vertex"],
  credentials: ["vertex"]
}

/** The service accounts of the files that a configuration names, or what is wrong with a file. */
export type ServiceAccounts = ReadonlyMap<string, Result.Result<ServiceAccount, string>>

const credentialsVariable = "GOOGLE_APPLICATION_CREDENTIALS"

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

type Access = Partial<Pick<HttpProvider, "apiKey" | "baseUrl" | "signer" | "auth" | "route">>

/** What a provider in a cloud is called with beside its settings, or why it cannot be called. */
export const accessTo = (
  { preset, protocols, apiKey, baseUrl }: HttpProvider,
  entry: ProviderEntry,
  environment: ReadonlyMap<string, string>,
  accounts: ServiceAccounts
): Result.Result<Access, string> => {
  const { region, apiVersion, project } = entry
  const settings = {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(region === undefined ? {} : { region }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(project === undefined ? {} : { project }),
    ...(baseUrl === "" ? {} : { baseUrl })
  }
  switch (cloudOfProvider({ preset, protocols })) {
    case undefined:
      return Result.succeed({})
    case "aws":
      return Result.mapBoth(bedrockAccess(settings, environment), {
        onFailure: notSet,
        onSuccess: ({ signer, ...access }) => ({
          ...access,
          ...(signer === undefined ? {} : { signer: Effect.succeed(signer) })
        })
      })
    case "azure":
      return Result.mapError(azureAccess(settings, environment), notSet)
    case "vertex": {
      const file = entry.credentials ?? environment.get(credentialsVariable)
      const found = apiKey !== undefined || file === undefined ? undefined : accounts.get(file)
      if (found !== undefined && Result.isFailure(found)) return Result.fail(`${file} ${found.failure}`)
      const account = found === undefined ? {} : { account: found.success }
      return Result.mapError(vertexAccess({ ...settings, ...account }, environment), notSet)
    }
  }
}

const notSet = (variable: string): string => `${variable} is not set`
