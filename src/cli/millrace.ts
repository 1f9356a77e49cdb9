import { Command } from "effect/cli"
import { auditCommand } from "./audit.ts"
import { callsCommand } from "./calls.ts"
import { checkCommand } from "./check.ts"
import { keysCommand } from "./keys.ts"
import { serveCommand } from "./serve.ts"
import { replayCommand } from "./replay.ts"
import { signalsCommand } from "./signals.ts"
import { simulateCommand } from "./simulate.ts"
import { usageCommand } from "./usage.ts"

/** The command line of Millrace. */
export const millrace = Command.make("millrace").pipe(
  Command.withDescription(
    "The streaming engine for model responses: any SDK in, any provider out, one recorded ending."
  ),
  Command.withSubcommands([
    serveCommand,
    checkCommand,
    callsCommand,
    auditCommand,
    signalsCommand,
    replayCommand,
    keysCommand,
    usageCommand,
    simulateCommand
  ])
)
