import { ByteSize, Console, Duration, Effect, Layer, Option } from "effect"
import { Command } from "effect/cli"
import type { Configuration } from "../config/Configuration.ts"
import { formatStorageUrl } from "../config/Document.ts"
import type { KeyRefused } from "../accounting/KeyRefused.ts"
import { programLayer } from "../config/layers.ts"
import { load } from "../config/load.ts"
import { Impatience, Server } from "../server/Server.ts"
import { allSurfaces } from "../protocols/surfaces.ts"
import { defaultServerSettings, Settings } from "../server/Settings.ts"
import type { StorageError } from "../storage/Database.ts"
import type { MigrationError } from "../storage/Migrations.ts"
import { CommandFailed, invalidConfiguration, unusableStorage } from "./CommandFailed.ts"
import { describeWarnings } from "./describe.ts"
import { configFlag, hostFlag, portFlag } from "./flags.ts"
import { Program } from "./Program.ts"
import { welcome } from "./welcome.ts"

/** `millrace serve`: serves until it is told to stop. */
export const serveCommand = Command.make(
  "serve",
  { config: configFlag, host: hostFlag, port: portFlag },
  Effect.fn(function* ({ config, host, port }) {
    const configuration = yield* Effect.mapError(
      load({
        config: Option.getOrUndefined(config),
        host: Option.getOrUndefined(host),
        port: Option.getOrUndefined(port)
      }),
      invalidConfiguration
    )
    if (configuration.warnings.length > 0) yield* Console.error(describeWarnings(configuration))
    const { toldAgain } = yield* Program
    return yield* serve(configuration).pipe(
      Effect.provide(serverLayer(configuration)),
      Effect.provideService(Impatience, toldAgain)
    )
  })
).pipe(
  Command.withDescription("Serve the configured providers to every SDK"),
  Command.withExamples([
    { command: "millrace serve", description: "Serve with ./millrace.yaml, or the defaults" },
    { command: "millrace serve --config gateway.yaml --port 9000", description: "Name a file and a port" }
  ])
)

const serve = Effect.fnUntraced(function* (configuration: Configuration) {
  const { url } = yield* Server
  yield* Console.log(welcome(configuration, yield* Program, url))
  return yield* Effect.never
})

const serverLayer = (configuration: Configuration) => {
  const { allowedOrigins, host, port, bodyLimit, keepAlive, shutdownGrace } = configuration.server
  return Server.layer(allSurfaces).pipe(
    Layer.catchTag("ServeError", ({ cause }) => Layer.effect(Server, cannotListen(host, port, cause))),
    Layer.provide(
      programLayer(configuration).pipe(Layer.catch((error) => Layer.effectContext(unusable(configuration, error))))
    ),
    Layer.provide(
      Layer.succeed(Settings, {
        ...defaultServerSettings,
        host,
        port,
        allowedOrigins,
        bodyLimit: ByteSize.toNumberUnsafe(bodyLimit),
        keepAliveMs: Duration.isZero(keepAlive) ? Infinity : Duration.toMillis(keepAlive),
        shutdownGraceMs: Duration.toMillis(shutdownGrace)
      })
    )
  )
}

const unusable = ({ storage }: Configuration, error: KeyRefused | StorageError | MigrationError): CommandFailed =>
  error._tag === "KeyRefused"
    ? new CommandFailed({ message: error.message })
    : unusableStorage(formatStorageUrl(storage))(error)

const cannotListen = (host: string, port: number, cause: unknown): CommandFailed => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : String(cause)
  const [what, mend] = listenFaults[code] ?? [`it failed (${code})`, "Choose another host or port."]
  return new CommandFailed({ message: `Cannot listen on ${host}, port ${port}: ${what}\n${mend}` })
}

const listenFaults: { readonly [code: string]: readonly [string, string] } = {
  EADDRINUSE: [
    "the port is in use",
    "Stop what listens there, or choose another port: --port 8788 (0 takes any free one), PORT, or server.port."
  ],
  EACCES: ["this user may not use the port", "Choose a port above 1023: --port 8787, PORT, or server.port."],
  EADDRNOTAVAIL: ["this machine has no such address", "Choose another host: --host 127.0.0.1, HOST, or server.host."],
  ENOTFOUND: ["the host name is not known", "Choose another host: --host 127.0.0.1, HOST, or server.host."]
}
