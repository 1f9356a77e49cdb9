import { type Effect, type Redacted, Result, type Schema } from "effect"
import { present } from "../domain/present.ts"
import { isObject, type JsonObject } from "../protocols/open-document.ts"
import type { Deployment, Route, RoutedRequest, Signer } from "./Deployment.ts"
import { type Environment, valueIn } from "./environment.ts"
import { googleApiKey } from "./formats.ts"
import type { HttpTransport } from "./HttpTransport.ts"
import { serviceAccountSigner, type ServiceAccount } from "./service-account.ts"

/** The environment variables that say who calls Vertex AI and where, as Google's SDKs know them. */
export const vertexVariables = [
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_CLOUD_PROJECT",
  "GOOGLE_CLOUD_LOCATION",
  "GOOGLE_VERTEX_BASE_URL"
] as const

/** What was set for a deployment on Vertex AI; what is absent is looked for in the environment. */
export interface VertexSettings {
  /** an API key: with it no token is asked for, and no project is needed */
  readonly apiKey?: Redacted.Redacted
  readonly account?: ServiceAccount
  readonly project?: string
  /** a region, `us`, `eu`, or `global` */
  readonly region?: string
  /** instead of the region's own endpoint, without a slash at its end */
  readonly baseUrl?: string
}

export type VertexAccess = Pick<Deployment, "baseUrl" | "auth" | "apiKey"> & {
  readonly route: Route
  readonly signer?: Effect.Effect<Signer, never, HttpTransport>
}

type Variable = (typeof vertexVariables)[number]

/**
 * Where Vertex AI is and who calls it, or the variable that would have to be set. The project is the one that was set, else
 * that of the environment, else the service account's own. An API key has a project of its own: with a key alone the
 * environment's is somebody else's.
 */
export const vertexAccess = (
  settings: VertexSettings,
  environment: Environment
): Result.Result<VertexAccess, Variable> => {
  const { apiKey, account } = settings
  if (apiKey === undefined && account === undefined) return Result.fail("GOOGLE_APPLICATION_CREDENTIALS")
  const keyAlone = apiKey !== undefined && settings.project === undefined && settings.region === undefined
  const usual = (variable: Variable) => (keyAlone ? undefined : valueIn(environment, variable))
  const project = settings.project ?? usual("GOOGLE_CLOUD_PROJECT") ?? account?.project
  if (project === undefined && apiKey === undefined) return Result.fail("GOOGLE_CLOUD_PROJECT")
  const region = settings.region ?? usual("GOOGLE_CLOUD_LOCATION") ?? "global"
  const endpoint = settings.baseUrl ?? valueIn(environment, "GOOGLE_VERTEX_BASE_URL") ?? vertexUrl(region)
  const place = project === undefined ? "" : `/projects/${encodeURIComponent(project)}/locations/${region}`
  return Result.succeed({
    baseUrl: `${endpoint.replace(/\/+$/, "")}/v1${place}`,
    auth: googleApiKey,
    apiKey,
    route: vertexRoute,
    ...(apiKey !== undefined || account === undefined ? {} : { signer: serviceAccountSigner(account) })
  })
}

/** The endpoint of a region; the whole world and the continents have names of another form. */
const vertexUrl = (region: string): string => {
  if (region === "global") return "https://aiplatform.googleapis.com"
  return region === "us" || region === "eu"
    ? `https://aiplatform.${region}.rep.googleapis.com`
    : `https://${region}-aiplatform.googleapis.com`
}

/** The version of the Messages API as Vertex AI has it. */
const anthropicVersion = "vertex-2023-10-16"

/**
 * The paths of Vertex AI, relative to a project in a region. Gemini's are those of its own API below its publisher. Claude
 * takes requests in the format of its publisher: the model stands in the path, the method says whether the answer is
 * streamed, and the version stands in the body.
 */
const vertexRoute: Route = (encoded) => {
  const { path, body = {} } = encoded
  // Counting is a model of its own, which is told in the body whose tokens to count, and knows fewer betas.
  if (path === "/v1/messages/count_tokens") {
    return ofAnthropic({ ...encoded, headers: countingHeaders(encoded.headers) }, "count-tokens:rawPredict", body)
  }
  if (path !== "/v1/messages") return ofGoogle(encoded)
  const { model, ...rest } = body
  const method = body["stream"] === true ? "streamRawPredict" : "rawPredict"
  // A date follows the name of a model after an @, which stands in paths as it is.
  const name = encodeURIComponent(String(model)).replaceAll("%40", "@")
  return ofAnthropic(encoded, `${name}:${method}`, rest)
}

const uncountedBetas: ReadonlyArray<string> = ["tool-search-tool-2025-10-19", "web-search-2025-03-05"]

const countingHeaders = ({ "anthropic-beta": header, ...headers }: RoutedRequest["headers"]) => {
  const betas = (header ?? "").split(",").filter((name) => name !== "" && !uncountedBetas.includes(name))
  return betas.length === 0 ? headers : { ...headers, "anthropic-beta": betas.join(",") }
}

const ofAnthropic = ({ headers }: RoutedRequest, resource: string, body: JsonObject): RoutedRequest => {
  const { "anthropic-version": _, ...others } = headers
  return {
    path: `/publishers/anthropic/models/${resource}`,
    headers: others,
    body: { ...body, anthropic_version: anthropicVersion }
  }
}

/** How a request asks to be served before or after the others. */
const tierHeader = "x-vertex-ai-llm-shared-request-type"

/** Models are Google's unless their name says whose; what else answers as one is the project's own (`endpoints/<id>`). */
const ofGoogle = (encoded: RoutedRequest): RoutedRequest => {
  const path = encoded.path.replace(/^\/v1beta\//, "/").replace(/^\/models\b/, "/publishers/google/models")
  if (encoded.body === undefined) return { ...encoded, path }
  const { serviceTier, generateContentRequest, toolConfig, ...rest } = encoded.body
  const tier = serviceTier === "flex" || serviceTier === "priority" ? { [tierHeader]: serviceTier } : {}
  const body = isObject(generateContentRequest)
    ? countable(generateContentRequest)
    : { ...rest, ...toolConfigOf(toolConfig) }
  return {
    path,
    headers: { ...encoded.headers, ...tier },
    body: /\/gemini-[12]\./.test(path) ? withoutCallIds(body) : body
  }
}

/** The field by which the Gemini API wants to be asked for tools of its own beside functions is unknown to Vertex AI. */
const toolConfigOf = (toolConfig: Schema.Json | undefined): JsonObject => {
  if (!isObject(toolConfig)) return present({ toolConfig })
  const { includeServerSideToolInvocations: _, ...rest } = toolConfig
  return Object.keys(rest).length === 0 ? {} : { toolConfig: rest }
}

/**
 * The calls of functions and their answers had no ids on Vertex AI before the third generation of Gemini, and a request that
 * has some is refused; what answers which call is told by name and order. The models since then give ids and want them back.
 */
const withoutCallIds = (body: JsonObject): JsonObject =>
  Array.isArray(body["contents"]) ? { ...body, contents: body["contents"].map(withoutIdsOf) } : body

const withoutIdsOf = (content: Schema.Json): Schema.Json =>
  isObject(content) && Array.isArray(content["parts"])
    ? { ...content, parts: content["parts"].map(withoutId) }
    : content

const withoutId = (part: Schema.Json): Schema.Json => {
  const key = isObject(part) ? ["functionCall", "functionResponse"].find((name) => isObject(part[name])) : undefined
  if (key === undefined || !isObject(part) || !isObject(part[key])) return part
  const { id: _, ...rest } = part[key]
  return { ...part, [key]: rest }
}

/** What of a request has tokens: here it stands in the body itself, and nothing else may. */
const countable = ({ contents, systemInstruction, tools, generationConfig }: JsonObject): JsonObject =>
  present({ contents, systemInstruction, tools, generationConfig })
