import type { Call } from "../domain/Call.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { FilterContext } from "../filters/Filter.ts"
import type { Ending } from "../filters/Verdict.ts"
import { FilterNotes } from "./FilterNotes.ts"
import type { Passing } from "./Filtering.ts"
import { maxHandOvers, outcomeOf, targetsAfter } from "./verdicts.ts"

/** A request on its way through its filters to which no answer will come that other filters could look at. */
export class Unanswered implements Passing {
  readonly id: string
  readonly call: Call
  readonly wants: Exclude<FilterContext["wants"], "answer">
  readonly filterNotes = new FilterNotes()
  request: LlmRequest
  /** to whom a filter gave it */
  handedOver: Outcome | undefined
  handedTo: ReadonlyArray<string> = []

  constructor(id: string, call: Call, wants: Unanswered["wants"]) {
    this.id = id
    this.call = call
    this.wants = wants
    this.request = call.request
  }

  handOver(ending: Ending): boolean {
    this.handedOver = outcomeOf(ending)
    this.handedTo = targetsAfter(this.handedTo, ending)
    return this.handedTo.length <= maxHandOvers
  }
}
