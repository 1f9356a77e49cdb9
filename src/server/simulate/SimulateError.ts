import { Schema } from "effect"

/** The simulator cannot be started: a script file, a folder or an address is not usable. The message says how to mend it. */
export class SimulateError extends Schema.TaggedError<SimulateError>()("SimulateError", {
  message: Schema.String
}) {}
