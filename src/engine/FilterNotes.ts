import type { FilterFailure, FinalRecord, Finding } from "../domain/Call.ts"

/** What the record of a call says of its filters: what they found, and how they failed. */
export class FilterNotes {
  private readonly findings: Array<Finding> = []
  private readonly failures: Array<FilterFailure & { times: number }> = []

  readonly report = (finding: Finding): void => {
    this.findings.push(finding)
  }

  /** How often a filter fails in the same way is counted. */
  readonly failed = (failure: FilterFailure): void => {
    const { filter, kind, phase } = failure
    const known = this.failures.find((one) => one.filter === filter && one.kind === kind && one.phase === phase)
    if (known === undefined) this.failures.push({ ...failure, times: 1 })
    else known.times++
  }

  get record(): Pick<FinalRecord, "findings" | "filterFailures"> {
    const { failures, findings } = this
    return {
      ...(findings.length === 0 ? {} : { findings }),
      ...(failures.length === 0 ? {} : { filterFailures: failures })
    }
  }
}
