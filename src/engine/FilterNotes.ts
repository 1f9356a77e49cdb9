import { type FilterFailure, type FinalRecord, type Finding, withoutExcerpt } from "../domain/Call.ts"
import { isLive } from "../signals/SignalReport.ts"

/** What the record of a call says of its filters: what they found, and how they failed. */
export class FilterNotes {
  private readonly findings: Array<Finding> = []
  /** whether what analyzers see of an answer may not be what leaves of it: then nothing is quoted of what they found */
  isChanged = false
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
    const { failures, isChanged } = this
    const findings = isChanged ? this.findings.map((one) => (isLive(one) ? withoutExcerpt(one) : one)) : this.findings
    return {
      ...(findings.length === 0 ? {} : { findings }),
      ...(failures.length === 0 ? {} : { filterFailures: failures })
    }
  }
}
