import { Clock, Effect, Exit, Redacted, Result, Schema, type Scope } from "effect"
import { importPKCS8, SignJWT } from "jose"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { present } from "../domain/present.ts"
import { httpReason } from "../protocols/HttpError.ts"
import { bearer, type Signer } from "./Deployment.ts"
import { HttpTransport } from "./HttpTransport.ts"

/** A service account of Google Cloud, by a key of it. */
export interface ServiceAccount {
  readonly email: string
  /** PKCS#8, as PEM */
  readonly privateKey: Redacted.Redacted
  readonly keyId: string | undefined
  readonly project: string | undefined
  /** where the key is exchanged for a token */
  readonly tokenUrl: string
}

const KeyFile = Schema.Struct({
  type: Schema.Literal("service_account"),
  client_email: Schema.NonEmptyString,
  private_key: Schema.NonEmptyString,
  private_key_id: Schema.optionalKey(Schema.String),
  project_id: Schema.optionalKey(Schema.String),
  token_uri: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^https?:\/\/./)))
})
const decodeKeyFile = Schema.decodeUnknownResult(Schema.fromJsonString(KeyFile))

/** Reads the key file of a service account, or says in the words of a configuration what is wrong with it. */
export const parseServiceAccount = (text: string): Result.Result<ServiceAccount, string> =>
  Result.mapBoth(decodeKeyFile(text), {
    // The details would show the key.
    onFailure: () =>
      "is no key of a service account (a JSON file with type: service_account, client_email and private_key)",
    onSuccess: (file) => ({
      email: file.client_email,
      privateKey: Redacted.make(file.private_key),
      keyId: file.private_key_id,
      project: file.project_id,
      tokenUrl: file.token_uri ?? "https://oauth2.googleapis.com/token"
    })
  })

const scope = "https://www.googleapis.com/auth/cloud-platform"
const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

/** The longest that the token endpoint accepts, in seconds. */
const assertionLifetime = 3600

/** Most that is read of the token endpoint's answer, in bytes. */
const maxAnswer = 64 * 1024

const tokenTimeout = "20 seconds"
const tokenTimedOut = failure({ _tag: "Timeout", phase: "connect" }, "Google did not give a token in time")

interface Token {
  readonly accessToken: Redacted.Redacted
  /** how long from now, in seconds */
  readonly lifetime: number
}

const decodeToken = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ access_token: Schema.NonEmptyString, expires_in: Schema.Finite }))
)
const decodeRefusal = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ error: Schema.String, error_description: Schema.optionalKey(Schema.String) }))
)

/** What the account says of itself to the token endpoint, signed with its key, by the Clock. */
const assertion = ({ email, privateKey, keyId, tokenUrl }: ServiceAccount): Effect.Effect<string, LlmError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const issued = Math.floor(now / 1000)
    const claims = new SignJWT({ scope })
      .setProtectedHeader({ alg: "RS256", typ: "JWT", ...present({ kid: keyId }) })
      .setIssuer(email)
      .setAudience(tokenUrl)
      .setIssuedAt(issued)
      .setExpirationTime(issued + assertionLifetime)
    return Effect.tryPromise({
      try: () => importPKCS8(Redacted.value(privateKey), "RS256").then((key) => claims.sign(key)),
      catch: () => failure({ _tag: "Unauthorized" }, `The private key of the service account ${email} cannot be read`)
    })
  })

const refusal = ({ email }: ServiceAccount, status: number, body: string): LlmError => {
  const said = Result.getOrUndefined(decodeRefusal(body))
  const words = [said?.error ?? `status ${status}`, ...(said?.error_description ? [said.error_description] : [])]
  // What is wrong with the request is the account or its key: nothing else is in it.
  const refused = status >= 400 && status < 500 && status !== 408 && status !== 429
  return failure(
    refused ? { _tag: "Unauthorized" } : httpReason(status),
    `Google gave no token to the service account ${email}: ${words.join(": ")}`
  )
}

const mint = Effect.fnUntraced(
  function* (
    account: ServiceAccount,
    transport: HttpTransport["Service"]
  ): Effect.fn.Return<Token, LlmError, Scope.Scope> {
    const answer = yield* transport.send({
      method: "POST",
      url: new URL(account.tokenUrl),
      headers: { "content-type": "application/x-www-form-urlencoded", "accept-encoding": "identity" },
      body: new URLSearchParams({ grant_type: grantType, assertion: yield* assertion(account) }).toString(),
      onConnected: () => {}
    })
    const body = yield* answer.text(maxAnswer)
    if (answer.status >= 300) return yield* refusal(account, answer.status, body)
    const token = decodeToken(body)
    if (Result.isFailure(token)) {
      return yield* failure({ _tag: "InvalidOutput", kind: "malformedFrame" }, "Google's answer holds no token")
    }
    const { access_token, expires_in } = token.success
    return { accessToken: Redacted.make(access_token), lifetime: expires_in }
  },
  Effect.scoped,
  Effect.timeoutOrElse({ duration: tokenTimeout, orElse: () => tokenTimedOut })
)

/** A token is used until five minutes before its end, so that a request that waits somewhere still arrives with it. */
const usableMillis = ({ lifetime }: Token): number => Math.max(lifetime - 300, lifetime / 2) * 1000

/**
 * Signs requests with a token of the service account. It is fetched when the first request needs it and kept until shortly
 * before it expires; requests that come meanwhile wait for the one that is being fetched. Fails with `Unauthorized` where
 * the account or its key is refused; a failure is not kept, and neither is a token that is not accepted any more.
 */
export const serviceAccountSigner = (account: ServiceAccount): Effect.Effect<Signer, never, HttpTransport> =>
  Effect.gen(function* () {
    const transport = yield* HttpTransport
    // Calls that began with the one before may still fail with it in their error.
    let known: ReadonlyArray<Redacted.Redacted> = []
    /** what requests are signed with; none while another is fetched in the place of a refused one */
    let current: Redacted.Redacted | undefined
    let isRefused = false
    const [token, forget] = yield* mint(account, transport).pipe(
      Effect.tap(({ accessToken }) =>
        Effect.sync(() => {
          known = [accessToken, ...known.slice(0, 1)]
          current = accessToken
        })
      ),
      Effect.cachedInvalidateWithTTL((exit) => (Exit.isSuccess(exit) ? usableMillis(exit.value) : 0))
    )
    const accepted = Effect.suspend(() => {
      if (!isRefused) return token
      isRefused = false
      current = undefined
      return Effect.andThen(forget, token)
    })
    return {
      sign: () => Effect.map(accepted, ({ accessToken }) => bearer(Redacted.value(accessToken))),
      // Whoever was on the way with the one before says nothing of this one.
      refused: ({ authorization }) => {
        if (current !== undefined) isRefused ||= authorization === `Bearer ${Redacted.value(current)}`
      },
      get secrets() {
        return known
      }
    }
  })
