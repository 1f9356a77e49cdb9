import { Schema } from "effect"
import { LimitState } from "./RateLimit.ts"

/**
 * Why a call or an attempt failed: a closed set. What to do about a failure is decided by its reason alone, how a caller
 * is told is its dialect's table.
 */
export const FailureReason = Schema.Union([
  Schema.TaggedStruct("RateLimited", {}),
  Schema.TaggedStruct("Overloaded", {}),
  Schema.TaggedStruct("UpstreamServer", {}),
  Schema.TaggedStruct("Unauthorized", {}),
  Schema.TaggedStruct("PermissionDenied", {}),
  Schema.TaggedStruct("QuotaExceeded", {}),
  /**
   * What was sent is not acceptable. `path` is the offending field (`messages[1].role`), `kind` says in which way:
   * not readable, of the wrong type, readable but impossible, larger than allowed, compressed, no such route, wrong
   * method.
   */
  Schema.TaggedStruct("InvalidRequest", {
    kind: Schema.Literals(["syntax", "type", "semantic", "tooLarge", "encoding", "notFound", "method"]),
    path: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("UnknownModel", { model: Schema.String, near: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("ContextTooLong", {}),
  /** Declined for what was asked: by the provider, or by the filter that `by` names, with the status it is told with. */
  Schema.TaggedStruct("ContentBlocked", {
    by: Schema.optionalKey(Schema.String),
    status: Schema.optionalKey(Schema.Literals([400, 403]))
  }),
  /** The target cannot do what was asked (a feature, a parameter); `feature` names it. */
  Schema.TaggedStruct("Unsupported", { feature: Schema.String }),
  Schema.TaggedStruct("Timeout", { phase: Schema.Literals(["connect", "firstToken", "idle", "total"]) }),
  /** The connection failed: refused, reset, name not found, TLS. */
  Schema.TaggedStruct("Transport", {}),
  /** The provider sent what cannot be read. */
  Schema.TaggedStruct("InvalidOutput", {
    kind: Schema.Literals(["malformedFrame", "frameTooLarge", "tooMuch", "failedEnding"])
  }),
  /** The stream stopped without its ending: before anything came (`empty`), or in the middle (`noStop`). */
  Schema.TaggedStruct("IncompleteStream", { kind: Schema.Literals(["empty", "noStop"]) }),
  Schema.TaggedStruct("ToolFailed", { tool: Schema.String }),
  /** No target can take the call now: circuits open, concurrency full, shutting down. */
  Schema.TaggedStruct("NoRoute", {}),
  /** A filter failed and its policy is to refuse what it could not check. */
  Schema.TaggedStruct("FilterFailed", { filter: Schema.String }),
  Schema.TaggedStruct("AuditUnavailable", {}),
  /** Our own defect. */
  Schema.TaggedStruct("Internal", {})
])
export type FailureReason = typeof FailureReason.Type

/**
 * What a failure says about the next attempt: try again (`transient`), the target is busy or silent (ask another), this
 * target will never do it (`target-permanent`), nobody will (`request-permanent`), or the fault is ours (`internal`).
 */
export type FailureClass = "transient" | "busy" | "silent" | "target-permanent" | "request-permanent" | "internal"

/** What the provider itself said: its error object's fields as it named them. */
export const ProviderFault = Schema.Struct({
  /** the provider as configured, e.g. `openai` */
  provider: Schema.optionalKey(Schema.String),
  /** HTTP status, where the failure was an HTTP answer */
  status: Schema.optionalKey(Schema.Int),
  type: Schema.optionalKey(Schema.String),
  code: Schema.optionalKey(Schema.String),
  param: Schema.optionalKey(Schema.String),
  /** rate-limit headers to pass on, lower case */
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** the wire format and the exact text of the error frame or body, for a caller of the same format */
  protocol: Schema.optionalKey(Schema.String),
  raw: Schema.optionalKey(Schema.String)
})
export type ProviderFault = typeof ProviderFault.Type

/**
 * The one failure of Millrace: a reason, a message for the caller (never a secret, never a stack), when it makes sense to
 * come back (`retryAfterMs`, milliseconds), and what the provider said if it was the provider's.
 */
export class LlmError extends Schema.TaggedError<LlmError>()("LlmError", {
  reason: FailureReason,
  message: Schema.String,
  retryAfterMs: Schema.optionalKey(Schema.Natural),
  fault: Schema.optionalKey(ProviderFault),
  /** what is left of the caller's limits, where one of them was reached */
  limits: Schema.optionalKey(Schema.Array(LimitState))
}) {
  /** What this failure says about the next attempt. */
  get class(): FailureClass {
    return failureClass(this.reason)
  }
}

/** The class of a reason: one total table. */
export const failureClass = (reason: FailureReason): FailureClass => {
  switch (reason._tag) {
    case "UpstreamServer":
    case "Transport":
    case "InvalidOutput":
    case "IncompleteStream":
      return "transient"
    case "RateLimited":
    case "Overloaded":
    case "NoRoute":
      return "busy"
    case "Timeout":
      return reason.phase === "connect" || reason.phase === "firstToken"
        ? "silent"
        : reason.phase === "idle"
          ? "transient"
          : "request-permanent"
    case "Unauthorized":
    case "PermissionDenied":
    case "QuotaExceeded":
    case "UnknownModel":
    case "ContextTooLong":
    case "Unsupported":
      return "target-permanent"
    case "InvalidRequest":
      // The address is wrong, not what was sent there.
      return reason.kind === "notFound" || reason.kind === "method" ? "target-permanent" : "request-permanent"
    case "ContentBlocked":
    case "ToolFailed":
    case "FilterFailed":
      return "request-permanent"
    case "AuditUnavailable":
    case "Internal":
      return "internal"
  }
}

const statusOfKind: { readonly [Kind in Extract<FailureReason, { readonly _tag: "InvalidRequest" }>["kind"]]: number } =
  {
    syntax: 400,
    type: 400,
    semantic: 422,
    tooLarge: 413,
    encoding: 415,
    notFound: 404,
    method: 405
  }

/**
 * The HTTP status of a failure, the same in every dialect. A provider's own 4xx, 429 and 5xx keep their status where they
 * stand for the same reason; everything else follows from the reason.
 */
export const statusOf = (error: LlmError): number => {
  const stated = error.fault?.status
  const { reason } = error
  switch (reason._tag) {
    case "InvalidRequest":
      return stated ?? statusOfKind[reason.kind]
    case "ContextTooLong":
    case "Unsupported":
      return stated ?? 400
    case "ContentBlocked":
      return stated ?? reason.status ?? 400
    case "Unauthorized":
      return stated ?? 401
    case "PermissionDenied":
      return stated ?? 403
    case "UnknownModel":
      return stated ?? 404
    case "QuotaExceeded":
    case "RateLimited":
      return stated ?? 429
    case "Overloaded":
      return stated === 529 ? 529 : 503
    case "NoRoute":
    case "AuditUnavailable":
      return 503
    case "UpstreamServer":
      return stated !== undefined && stated >= 400 ? stated : 502
    case "Transport":
    case "InvalidOutput":
    case "IncompleteStream":
    case "FilterFailed":
    case "ToolFailed":
      return 502
    case "Timeout":
      return 504
    case "Internal":
      return 500
  }
}

/** Shorthand for the failures that Millrace itself finds. */
export const failure = (
  reason: FailureReason,
  message: string,
  more: {
    readonly retryAfterMs?: number
    readonly fault?: ProviderFault
    readonly limits?: ReadonlyArray<LimitState>
  } = {}
) => new LlmError({ reason, message, ...more })
