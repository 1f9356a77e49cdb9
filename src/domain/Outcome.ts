import { Schema } from "effect"
import { FinishReason } from "./LlmEvent.ts"
import { FailureReason, type LlmError } from "./LlmError.ts"

/**
 * How a call ended. Every admitted call has exactly one; the first cause wins.
 *
 * - `Completed`: the model finished. `delivered` is false where the caller was gone before the end was written to it.
 * - `Refused`: a filter or guardrail declined. `HandedOff`: it gave the call to somebody else.
 * - `Limited`: a limit cut the answer. `Cancelled`: the client left, somebody cancelled it, or the process shut down.
 * - `Failed`: with the reason and message of the failure.
 * - `Interrupted`: the process died; written only by recovery.
 */
export const Outcome = Schema.Union([
  Schema.TaggedStruct("Completed", { finish: FinishReason, delivered: Schema.Boolean }),
  Schema.TaggedStruct("Refused", { by: Schema.String, reason: Schema.String }),
  Schema.TaggedStruct("HandedOff", { target: Schema.String, reason: Schema.optionalKey(Schema.String) }),
  Schema.TaggedStruct("Limited", {
    by: Schema.Literals(["steps", "toolCalls", "bytes", "tokens", "cost", "deadline", "filter"]),
    /** the filter that cut the answer, and why */
    filter: Schema.optionalKey(Schema.String),
    reason: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("Cancelled", { by: Schema.Literals(["client", "caller", "shutdown"]) }),
  Schema.TaggedStruct("Failed", {
    reason: FailureReason,
    message: Schema.String,
    status: Schema.optionalKey(Schema.Int)
  }),
  Schema.TaggedStruct("Interrupted", {})
]).pipe(Schema.toTaggedUnion("_tag"))
export type Outcome = typeof Outcome.Type

/** The outcome that a failure leads to. */
export const failedWith = (error: LlmError): Outcome => ({
  _tag: "Failed",
  reason: error.reason,
  message: error.message,
  ...(error.fault?.status === undefined ? {} : { status: error.fault.status })
})
