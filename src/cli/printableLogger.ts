import { Cause, Logger } from "effect"
import { inspect } from "node:util"
import { printable } from "./printable.ts"

const shown = (value: unknown): string => printable(typeof value === "string" ? value : inspect(value))

/** Logs as usual, but for what callers and providers said: a terminal would take control characters in it for commands. */
export const printableLogger: Logger.Logger<unknown, void> = Logger.make((options) => {
  const { cause, message } = options
  const said = (Array.isArray(message) ? message : [message]).map(shown)
  const why = cause.reasons.length === 0 ? [] : [printable(Cause.pretty(cause))]
  Logger.defaultLogger.log({ ...options, message: [...said, ...why], cause: Cause.empty })
})
