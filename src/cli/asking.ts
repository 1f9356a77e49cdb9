import { Config, Effect, Layer, Option, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"

/** The key for a server: that of the flag, else that of the environment; undefined where there is none. */
const keyFor = (flag: Option.Option<Redacted.Redacted>): Effect.Effect<Redacted.Redacted | undefined> =>
  Option.isSome(flag)
    ? Effect.succeed(flag.value)
    : // A text can only be there or not.
      Effect.orDie(
        Effect.map(Config.option(Config.Redacted("MILLRACE_ADMIN_KEY")), (key) =>
          Option.isSome(key) && Redacted.value(key.value) !== "" ? key.value : undefined
        )
      )

/** A client that shows a key with everything it asks. */
export const clientWith = (flag: Option.Option<Redacted.Redacted>): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function* () {
      const key = yield* keyFor(flag)
      const client = yield* HttpClient.HttpClient
      return key === undefined
        ? client
        : HttpClient.mapRequest(client, HttpClientRequest.bearerToken(Redacted.value(key)))
    })
  ).pipe(Layer.provide(FetchHttpClient.layer))

/** The base of a server's URLs, without a slash at its end, also where somebody gives that of an SDK. */
export const baseOf = (url: string): string => url.replace(/\/+$/, "").replace(/\/v1$/, "")
