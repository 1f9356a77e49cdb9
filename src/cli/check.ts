import { Console, Effect, Option } from "effect"
import { Command } from "effect/cli"
import { load } from "../config/load.ts"
import { invalidConfiguration } from "./CommandFailed.ts"
import { describeConfiguration, describeWarnings } from "./describe.ts"
import { configFlag, hostFlag, portFlag } from "./flags.ts"

/** `millrace check`: says everything that is wrong with the configuration, or what it amounts to. */
export const checkCommand = Command.make(
  "check",
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
    yield* Console.log(describeConfiguration(configuration))
    if (configuration.warnings.length > 0) yield* Console.error(`\n${describeWarnings(configuration)}`)
    yield* Console.log("\nThe configuration is valid.")
  })
).pipe(
  Command.withDescription("Validate the configuration and say what it amounts to"),
  Command.withExamples([{ command: "millrace check --config millrace.yaml", description: "Check a file" }])
)
