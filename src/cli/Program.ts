import { Context, Effect } from "effect"

/** What the entry point knows of the program. */
export interface ProgramFacts {
  readonly version: string
  /** how a user calls it */
  readonly command: string
  /** completes when the process, which was told to end, is told so again */
  readonly toldAgain: Effect.Effect<void>
}

/** What the entry point knows of the program. */
export const Program = Context.Reference<ProgramFacts>("millrace/cli/Program", {
  defaultValue: () => ({ version: "unknown", command: "millrace", toldAgain: Effect.never })
})
