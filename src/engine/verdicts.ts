import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { Ending } from "../filters/Verdict.ts"

/** How often one call may be handed to another model. */
export const maxHandOvers = 3

/** How a call ends that a filter ends. */
export const outcomeOf = ({ verdict, by = "a filter" }: Ending): Outcome => {
  switch (verdict._tag) {
    case "Refuse":
      return { _tag: "Refused", by, reason: verdict.reason }
    case "HandOff":
      return {
        _tag: "HandedOff",
        target: verdict.target,
        ...(verdict.reason === undefined ? {} : { reason: verdict.reason })
      }
    case "Stop":
      if (verdict.stopSequence !== undefined) return { _tag: "Completed", finish: "stop", delivered: false }
      return { _tag: "Limited", by: "filter", filter: by, reason: verdict.reason }
  }
}

/** What a caller is told of a filter's verdict where no answer has begun. */
export const refusalOf = ({ verdict, by = "a filter" }: Ending): LlmError => {
  const status = verdict._tag === "Refuse" ? verdict.status : undefined
  return failure(
    { _tag: "ContentBlocked", by, ...(status === undefined ? {} : { status }) },
    `Refused by the filter ${by}${verdict.reason === undefined ? "" : `: ${verdict.reason}`}`
  )
}

/** The models that a call was given to, after this ending too. */
export const targetsAfter = (before: ReadonlyArray<string>, { verdict }: Ending): ReadonlyArray<string> =>
  verdict._tag === "HandOff" ? [...before, verdict.target] : before
