import type { AttemptRecord, FinalRecord } from "../domain/Call.ts"
import { withoutExcerpts } from "../domain/Call.ts"
import type { FailureReason } from "../domain/LlmError.ts"
import type { Outcome } from "../domain/Outcome.ts"

/** In the place of words that may repeat what was said. */
const notKept = "(not kept)"

/** What these say is made here, of names and numbers; of others a provider or a filter may have written it. */
const ownWords: ReadonlySet<FailureReason["_tag"]> = new Set([
  "UnknownModel",
  "Timeout",
  "Transport",
  "IncompleteStream",
  "NoRoute",
  "AuditUnavailable"
])

const messageOf = (reason: FailureReason, message: string): string => (ownWords.has(reason._tag) ? message : notKept)

const outcomeWithout = (outcome: Outcome): Outcome => {
  if (outcome._tag === "Failed") return { ...outcome, message: messageOf(outcome.reason, outcome.message) }
  return "reason" in outcome ? { ...outcome, reason: notKept } : outcome
}

const attemptWithout = (attempt: AttemptRecord): AttemptRecord => {
  const { failure } = attempt
  if (failure === undefined) return attempt
  return { ...attempt, failure: { ...failure, message: messageOf(failure.reason, failure.message) } }
}

/**
 * The record of a call's end without anything that may repeat what was said in it: providers quote requests in their
 * errors, filters in their reasons, and notices name tools and values.
 */
export const withoutWords = (record: FinalRecord): FinalRecord => ({
  ...record,
  outcome: outcomeWithout(record.outcome),
  attempts: record.attempts.map(attemptWithout),
  notices: record.notices.map(({ code }) => ({ code, message: notKept })),
  ...(record.findings === undefined ? {} : { findings: withoutExcerpts(record.findings) })
})
