import { Runtime, Schema } from "effect"
import type { ConfigurationError } from "../config/problems.ts"
import type { StorageError } from "../storage/Database.ts"
import type { MigrationError } from "../storage/Migrations.ts"

/** A command could not do what it was asked to. The message says what, where and how to mend it; nothing else is shown. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  message: Schema.String
}) {
  // The program itself prints the message: a log entry with a stack would say it again.
  override readonly [Runtime.errorReported] = false
}

/** Everything that is wrong with a configuration, a line each. */
export const invalidConfiguration = ({ problems, message }: ConfigurationError): CommandFailed =>
  new CommandFailed({
    message: `The configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${message}`
  })

/** The place of the records cannot be used. `where` is how the configuration names it. */
export const unusableStorage =
  (where: string) =>
  (error: StorageError | MigrationError): CommandFailed =>
    new CommandFailed({ message: `The records cannot be kept in ${where}: ${error.message}\n${mend(error)}` })

const mend = (error: StorageError | MigrationError): string => {
  if (error._tag === "MigrationError") {
    return "Use the version of Millrace that last wrote it, or another storage.url in the configuration."
  }
  switch (error.kind) {
    case "corrupt":
      return "If it is no database of Millrace, name another file by storage.url in the configuration; else restore it from a copy."
    case "busy":
      return "Another process holds it for writing; try again when that is done."
    case "full":
      return "Make room on the device, or name a file elsewhere by storage.url in the configuration."
    default:
      return "Check that it is there and may be written, or name another place by storage.url in the configuration."
  }
}
