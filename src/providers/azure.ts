import { Redacted, Result } from "effect"
import { type Auth, bearer, type Deployment, type Route } from "./Deployment.ts"
import { type Environment, valueIn } from "./environment.ts"

/** The environment variables that say who calls Azure OpenAI, where, and in which version, as its SDKs know them. */
export const azureVariables = [
  "AZURE_OPENAI_API_KEY",
  "AZURE_OPENAI_AD_TOKEN",
  "AZURE_OPENAI_ENDPOINT",
  "OPENAI_API_VERSION"
] as const

/** What was set for a deployment on Azure OpenAI; what is absent is looked for in the environment. */
export interface AzureSettings {
  /** a key of the resource, or a token of Entra ID */
  readonly apiKey?: Redacted.Redacted
  /** the resource's endpoint: `https://<resource>.openai.azure.com` */
  readonly baseUrl?: string
  /** a dated version has every model at a path of its own; without one the undated API is called */
  readonly apiVersion?: string
}

export type AzureAccess = Pick<Deployment, "baseUrl" | "auth" | "apiKey"> & { readonly route: Route }

type Variable = (typeof azureVariables)[number]

/**
 * Where Azure OpenAI is and who calls it, or the variable that would have to be set. What was set wins over the
 * environment, and there a key over a token.
 */
export const azureAccess = (
  settings: AzureSettings,
  environment: Environment
): Result.Result<AzureAccess, Variable> => {
  const key = valueIn(environment, "AZURE_OPENAI_API_KEY") ?? valueIn(environment, "AZURE_OPENAI_AD_TOKEN")
  const apiKey = settings.apiKey ?? (key === undefined ? undefined : Redacted.make(key))
  if (apiKey === undefined) return Result.fail("AZURE_OPENAI_API_KEY")
  const endpoint = settings.baseUrl ?? valueIn(environment, "AZURE_OPENAI_ENDPOINT")
  if (endpoint === undefined) return Result.fail("AZURE_OPENAI_ENDPOINT")
  const route = azureRoute(settings.apiVersion ?? valueIn(environment, "OPENAI_API_VERSION"))
  return Result.succeed({ baseUrl: resourceUrl(endpoint), auth: azureAuth, apiKey, route })
}

/** The portal shows the endpoint both with and without the path of the API, or of a model's deployment. */
const resourceUrl = (endpoint: string): string =>
  endpoint.replace(/\/+$/, "").replace(/\/openai(\/v1|\/deployments\/[^/]+)?$/, "")

/** Keys are plain text; a token of Entra ID is three parts with dots between them, and goes as one. */
const azureAuth: Auth = (key) => (/^[\w-]+\.[\w-]+\.[\w-]*$/.test(key) ? bearer(key) : { "api-key": key })

/** What a dated version has below the deployment of a model. */
const ofDeployments: ReadonlyArray<string> = ["/chat/completions", "/completions", "/embeddings"]

/**
 * The paths of Azure OpenAI: those of OpenAI below `/openai/v1`, where the body names the model. A dated version has the
 * older APIs below `/openai/deployments/<model>` instead, and is named in the query; the Responses API stays where it is.
 * Versions of the undated API (`preview`) are named in the query as well.
 */
const azureRoute =
  (apiVersion: string | undefined): Route =>
  (encoded) => {
    const dated = apiVersion !== undefined && /^\d{4}-\d{2}-\d{2}/.test(apiVersion)
    const query = apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(apiVersion)}`
    const model = encoded.body?.["model"]
    if (dated && typeof model === "string" && ofDeployments.includes(encoded.path)) {
      return { ...encoded, path: `/openai/deployments/${encodeURIComponent(model)}${encoded.path}${query}` }
    }
    return { ...encoded, path: `/openai/v1${encoded.path}${dated ? "" : query}` }
  }
