import { Effect } from "effect"
import type { CallFilter } from "../audit/AuditStore.ts"
import { OutcomeRecord } from "../audit/CallRecord.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { moment, name, oneOf, parameter, type Parameter, wrongParameter } from "./parameters.ts"

const label: Parameter<string> = {
  expected: "name=value, once for each label",
  read: (text) => (text.indexOf("=") > 0 ? text : undefined)
}

/** A database looks for each of them, in a statement that can only be so deep. */
const mostLabels = 50

/** The outcomes that a call can have. */
export const outcomeNames = OutcomeRecord.fields.kind.literals

/** The parameters that choose calls. */
export const filterParameters: ReadonlyArray<string> = [
  "status",
  "outcome",
  "model",
  "key",
  "label",
  "text",
  "requestId",
  "conversation",
  "from",
  "to",
  "before"
]

/** Which calls a query chooses; fails with what is wrong with it, and how it has to be. */
export const callFilterOf = Effect.fnUntraced(function* (
  query: URLSearchParams
): Effect.fn.Return<CallFilter, LlmError> {
  const labels = query.getAll("label")
  const wrong = labels.find((text) => label.read(text) === undefined)
  if (wrong !== undefined) return yield* wrongParameter("label", label.expected)
  if (labels.length > mostLabels) return yield* wrongParameter("label", `given ${mostLabels} times at most`)
  return {
    status: yield* parameter(query, "status", oneOf(["open", "ended"])),
    outcome: yield* parameter(query, "outcome", oneOf(outcomeNames)),
    model: yield* parameter(query, "model", name),
    key: yield* parameter(query, "key", name),
    labels,
    text: yield* parameter(query, "text", name),
    requestId: yield* parameter(query, "requestId", name),
    conversation: yield* parameter(query, "conversation", name),
    openedFrom: yield* parameter(query, "from", moment),
    openedBefore: (yield* parameter(query, "to", moment)) ?? (yield* parameter(query, "before", moment))
  }
})
