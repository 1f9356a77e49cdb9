import { Data } from "effect"
import { present } from "../domain/present.ts"

/** Declines the call. `reason` is told to the caller and recorded. */
export interface Refuse {
  readonly _tag: "Refuse"
  readonly reason: string
  /** the HTTP status of a request that is refused before its answer begins; an answer is never an error */
  readonly status?: 400 | 403
  /**
   * how the caller is told: as an error, which is possible only until something was sent, or as an answer that ended with
   * the dialect's content filter. A request is refused as an error and an answer as an answer, unless this says otherwise.
   */
  readonly as?: "error" | "answer"
  /** what the caller reads in the place of what is withheld, where it is told as an answer */
  readonly message?: string
}

/** Gives the call to another model, named as callers name models. What it has to say takes the place of the answer. */
export interface HandOff {
  readonly _tag: "HandOff"
  readonly target: string
  readonly reason?: string
}

/** Cuts the answer here, as a limit would; at a `stopSequence` it is the end that was asked for. */
export interface Stop {
  readonly _tag: "Stop"
  readonly reason: string
  readonly stopSequence?: string
}

/** What a guardrail says of a piece of text: that it may pass, what to say instead, or how the call ends. */
export type Verdict =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Replace"; readonly text: string }
  | Refuse
  | HandOff
  | Stop

/**
 * A verdict that ends the call, as a filter gives it: in the error channel, so that nothing that it did not release before
 * can leave. `by` is the filter's name, which the chain fills in.
 */
export class Ending extends Data.TaggedError("Ending")<{
  readonly verdict: Refuse | HandOff | Stop
  readonly by: string | undefined
}> {
  /** The same, by the filter of that name, told in that way, unless it says itself whose it is and how it is told. */
  from(name: string, as: "error" | "answer"): Ending {
    const { verdict, by = name } = this
    return new Ending({ verdict: verdict._tag === "Refuse" ? { as, ...verdict } : verdict, by })
  }
}

/** Whether a failure is a filter's verdict. */
export const isEnding = (error: unknown): error is Ending => error instanceof Ending

/** Declines the call. */
export const refuse = (reason: string, how: Omit<Refuse, "_tag" | "reason"> = {}): Ending =>
  new Ending({ verdict: { _tag: "Refuse", reason, ...how }, by: undefined })

/** Gives the call to another model. */
export const handOff = (target: string, reason?: string): Ending =>
  new Ending({ verdict: { _tag: "HandOff", target, ...present({ reason }) }, by: undefined })

/** Cuts the answer: what came so far stands, and the call is recorded as limited. */
export const stop = (reason: string): Ending => new Ending({ verdict: { _tag: "Stop", reason }, by: undefined })

/** Ends the answer before a text that it was not to say, as if the model had known: the call is complete. */
export const stopAt = (stopSequence: string): Ending =>
  new Ending({ verdict: { _tag: "Stop", reason: "a stop sequence", stopSequence }, by: undefined })
