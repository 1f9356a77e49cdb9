import { AwsV4Signer } from "aws4fetch"
import { Clock, DateTime, Effect, Redacted, Result } from "effect"
import { failure } from "../domain/LlmError.ts"
import { present } from "../domain/present.ts"
import { table } from "../domain/table.ts"
import { bearer, type Deployment, type Signer } from "./Deployment.ts"
import { type Environment, valueIn } from "./environment.ts"

/** Long-lived credentials, or with a `sessionToken` temporary ones. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted
}

/** Where a request is signed for: a region, and the service's name in signatures. */
export interface AwsScope {
  readonly region: string
  readonly service: string
}

/** `20261121T023000Z`, as signatures write it. */
const signatureTime = (epochMillis: number): string =>
  DateTime.formatIso(DateTime.makeUnsafe(epochMillis)).replaceAll(/[-:]|\.\d{3}/g, "")

/**
 * Signs requests with AWS Signature Version 4, by the Clock. Host, body and `x-amz-*` headers are signed; the others are
 * free to be changed by who passes the request on.
 */
export const sigV4 = ({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials, scope: AwsScope): Signer => {
  const credentials = {
    accessKeyId,
    secretAccessKey: Redacted.value(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) })
  }
  // The key that a day's signatures are made with is derived once.
  const keys = new Map<string, ArrayBuffer>()
  return {
    secrets: sessionToken === undefined ? [secretAccessKey] : [secretAccessKey, sessionToken],
    sign: ({ method, url, headers, body }) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (keys.size > 1) keys.clear()
        const signed = Object.entries(headers).filter(([name]) => name.startsWith("x-amz-"))
        const signer = new AwsV4Signer({
          ...credentials,
          ...scope,
          method,
          url: url.href,
          headers: signed.map(([name, value]) => [name, value]),
          body,
          cache: keys,
          datetime: signatureTime(now)
        })
        return Effect.tryPromise({
          try: () => signer.sign(),
          catch: () => failure({ _tag: "Internal" }, "The request could not be signed")
        }).pipe(Effect.map((request) => Object.fromEntries(request.headers)))
      })
  }
}

/** The environment variables that say who calls Amazon Bedrock, and where. */
export const bedrockVariables = [
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_REGION",
  "AWS_DEFAULT_REGION"
] as const

/** What was set for a deployment on Amazon Bedrock; what is absent is looked for in the environment. */
export interface BedrockSettings {
  /** a Bedrock API key: with it nothing is signed */
  readonly apiKey?: Redacted.Redacted
  readonly credentials?: AwsCredentials
  readonly region?: string
  /** instead of the region's own endpoint, without a slash at its end */
  readonly baseUrl?: string
}

export type BedrockAccess = Pick<Deployment, "baseUrl" | "auth" | "apiKey" | "signer">

type Variable = (typeof bedrockVariables)[number]

/**
 * Where Amazon Bedrock is and who calls it, or the variable that would have to be set. What was set wins over the
 * environment, and there an API key over credentials, as in the SDKs of AWS.
 */
export const bedrockAccess = (
  settings: BedrockSettings,
  environment: Environment
): Result.Result<BedrockAccess, Variable> => {
  const region = settings.region ?? valueIn(environment, "AWS_REGION") ?? valueIn(environment, "AWS_DEFAULT_REGION")
  const baseUrl = settings.baseUrl ?? (region === undefined ? undefined : bedrockUrl(region))
  if (baseUrl === undefined) return Result.fail("AWS_REGION")

  const token = settings.credentials === undefined ? valueIn(environment, "AWS_BEARER_TOKEN_BEDROCK") : undefined
  const apiKey = settings.apiKey ?? redacted(token)
  if (apiKey !== undefined) return Result.succeed({ baseUrl, auth: bearer, apiKey })

  // The region is part of what is signed, wherever the request goes.
  if (region === undefined) return Result.fail("AWS_REGION")
  const found = settings.credentials === undefined ? credentialsOf(environment) : Result.succeed(settings.credentials)
  return Result.map(found, (credentials) => ({
    baseUrl,
    auth: bearer,
    apiKey: undefined,
    signer: sigV4(credentials, { region, service: "bedrock" })
  }))
}

const credentialsOf = (environment: Environment): Result.Result<AwsCredentials, Variable> => {
  const accessKeyId = valueIn(environment, "AWS_ACCESS_KEY_ID")
  if (accessKeyId === undefined) return Result.fail("AWS_ACCESS_KEY_ID")
  const secretAccessKey = redacted(valueIn(environment, "AWS_SECRET_ACCESS_KEY"))
  if (secretAccessKey === undefined) return Result.fail("AWS_SECRET_ACCESS_KEY")
  const sessionToken = redacted(valueIn(environment, "AWS_SESSION_TOKEN"))
  return Result.succeed({ accessKeyId, secretAccessKey, ...present({ sessionToken }) })
}

const redacted = (value: string | undefined) => (value === undefined ? undefined : Redacted.make(value))

/** The domains of regions that are a world of their own: China, and the sovereign cloud of Europe. */
const domains: { readonly [prefix: string]: string } = table({ cn: "amazonaws.com.cn", eusc: "amazonaws.eu" })

const bedrockUrl = (region: string): string =>
  `https://bedrock-runtime.${region}.${domains[region.split("-")[0] ?? ""] ?? "amazonaws.com"}`
