import { Config, Effect, type FileSystem, Layer, Option, type Path, Redacted } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import type { Configuration } from "../config/Configuration.ts"
import { load } from "../config/load.ts"
import { CommandFailed, invalidConfiguration } from "./CommandFailed.ts"

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

/** The configuration, for a command that asks no server. */
export const configured = (
  config: Option.Option<string>,
  key: Option.Option<Redacted.Redacted>
): Effect.Effect<Configuration, CommandFailed, FileSystem.FileSystem | Path.Path> =>
  Option.isSome(key)
    ? Effect.fail(
        new CommandFailed({
          message: "--key is shown to a server, and goes with --url; calls of a key are chosen by --caller-key"
        })
      )
    : Effect.mapError(load({ config: Option.getOrUndefined(config) }), invalidConfiguration)

/** The base of a server's URLs, without a slash at its end, also where somebody gives that of an SDK. */
export const baseOf = (url: string): string => url.replace(/\/+$/, "").replace(/\/v1$/, "")
