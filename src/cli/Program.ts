import { Context } from "effect"

/** What the entry point knows of the program: its version, and how a user calls it. */
export const Program = Context.Reference<{ readonly version: string; readonly command: string }>(
  "millrace/cli/Program",
  { defaultValue: () => ({ version: "unknown", command: "millrace" }) }
)
