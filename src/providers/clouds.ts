import { Effect, Result } from "effect"
import { bedrockAccess, bedrockVariables, type BedrockSettings } from "./aws.ts"
import { azureAccess, azureVariables, type AzureSettings } from "./azure.ts"
import type { Environment } from "./environment.ts"
import type { Cloud } from "./formats.ts"
import { vertexAccess, vertexVariables, type VertexAccess, type VertexSettings } from "./vertex.ts"

/** How the clouds are called in messages. */
export const cloudNames: { readonly [C in Cloud]: string } = {
  aws: "Amazon Bedrock",
  azure: "Azure OpenAI",
  vertex: "Vertex AI"
}

/** The environment variables that say where clouds are and who calls them. */
export const cloudVariables: ReadonlyArray<string> = [...bedrockVariables, ...azureVariables, ...vertexVariables]

/** The environment variable that names a file with the credentials of a service account. */
export const credentialsVariable = "GOOGLE_APPLICATION_CREDENTIALS"

/** The settings of a provider that only some clouds have, with the clouds that have them. */
export const cloudSettings: { readonly [setting: string]: ReadonlyArray<Cloud> } = {
  region: ["aws", "vertex"],
  apiVersion: ["azure"],
  project: ["vertex"],
  credentials: ["vertex"]
}

/** What was set for a deployment in a cloud; what is absent is looked for in the environment. */
export type CloudSettings = BedrockSettings & AzureSettings & VertexSettings

/** What a deployment in a cloud is called with. */
export type CloudAccess = Partial<VertexAccess>

/** Where a cloud is and who calls it, or the environment variable that would have to be set. */
export const cloudAccess = (
  cloud: Cloud,
  settings: CloudSettings,
  environment: Environment
): Result.Result<CloudAccess, string> => {
  switch (cloud) {
    case "aws":
      return Result.map(bedrockAccess(settings, environment), ({ signer, ...access }) => ({
        ...access,
        ...(signer === undefined ? {} : { signer: Effect.succeed(signer) })
      }))
    case "azure":
      return azureAccess(settings, environment)
    case "vertex":
      return vertexAccess(settings, environment)
  }
}
