import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Console, Effect, Exit, Layer, Logger, Runtime } from "effect"
import { Command } from "effect/cli"
import { createRequire } from "node:module"
import { millrace } from "./cli/millrace.ts"
import { printableLogger } from "./cli/printableLogger.ts"
import { Program } from "./cli/Program.ts"
import { usageErrors } from "./cli/usage-errors.ts"

// Read at run time: the manifest lies outside what is compiled.
const { version }: { readonly version: string } = createRequire(import.meta.url)("../package.json")

/** A clone of the repository has no command of its own on the path. */
const command = import.meta.url.endsWith(".ts") ? "npm run millrace --" : "millrace"

/** One signal may come twice at once: from the terminal, and from npm, which had it from there too. */
const sameSignal = "1 second"

const toldAgain = Effect.andThen(
  Effect.sleep(sameSignal),
  Effect.callback<void>((resume) => {
    const onSignal = () => resume(Effect.void)
    process.once("SIGINT", onSignal).once("SIGTERM", onSignal)
    return Effect.sync(() => process.off("SIGINT", onSignal).off("SIGTERM", onSignal))
  })
)

/** A program that was told to stop, and did, has succeeded. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

// Whoever read what is printed may leave (`| head`). Commands that go on printing find out themselves.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return
  process.exitCode = 1
  process.stderr.write(`The output cannot be written: ${error.message}\n`)
})
// There is nobody left to tell, and a server goes on without its log.
process.stderr.on("error", () => {})

millrace.pipe(
  Command.run({ version }),
  Effect.tapErrorTag("CommandFailed", ({ message }) => Console.error(message)),
  Effect.provide(
    Layer.mergeAll(
      NodeServices.layer,
      Layer.succeed(Program, { version, command, toldAgain }),
      usageErrors,
      Logger.layer([printableLogger, Logger.tracerLogger]),
      // Standard output is for what a command was asked for.
      Layer.succeed(Logger.LogToStderr, true)
    )
  ),
  NodeRuntime.runMain({ teardown })
)
