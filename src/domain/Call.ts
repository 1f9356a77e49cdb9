import { Schema, Struct } from "effect"
import { LlmResponse } from "./LlmResponse.ts"
import { Outcome } from "./Outcome.ts"
import { FailureReason } from "./LlmError.ts"
import type { Delivery, LlmRequest } from "./LlmRequest.ts"
import { Cost } from "./Cost.ts"
import { Usage } from "./Usage.ts"

/** The label under which the administrator's own calls are recorded: no other key may have it. */
export const adminName = "admin"

/** Who asks. `key` is the label of the key, never the key itself. */
export const Caller = Schema.Struct({
  key: Schema.optionalKey(Schema.String),
  tenant: Schema.optionalKey(Schema.String),
  labels: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})
export type Caller = typeof Caller.Type

/** The request in the words of the caller's own format: what passes on untouched where the target speaks it too. */
export interface Origin {
  /** the wire format */
  readonly protocol: string
  /** the decoded JSON document, unknown fields included */
  readonly body: { readonly [key: string]: Schema.Json }
  /** its exact text, kept for the record */
  readonly text: string
  /** request headers that belong to the format itself (its version, its beta switches), lower case */
  readonly headers: { readonly [name: string]: string }
}

/** A call whose filter asks a model, and the models that it is for itself: what may not be kept of these, may not of this. */
export const Asker = Schema.Struct({ call: Schema.String, models: Schema.Array(Schema.String) })
export type Asker = typeof Asker.Type

/** A request to be answered, with everything around it. `timeoutMs` bounds the whole call, in milliseconds. */
export interface Call {
  readonly request: LlmRequest
  readonly delivery: Delivery
  readonly caller: Caller
  /** the dialect it came in by; absent where a program called the engine itself */
  readonly dialect?: string
  readonly origin?: Origin
  /** the caller's own id for the request (`x-request-id`) */
  readonly requestId?: string
  readonly conversation?: string
  readonly timeoutMs?: number
  /** the names of filters that the caller's key adds to those of the model */
  readonly filters?: ReadonlyArray<string>
  /** request headers, lower case: a filter sees those of them that it names (`Filter.headers`), and never a credential */
  readonly headers?: { readonly [name: string]: string }
  /** the call whose filter asks: no filter touches what a filter asks */
  readonly askedBy?: Asker
}

const Milliseconds = Schema.Finite
const Moment = Schema.Finite

/**
 * One request to one target. `key` is the label of the provider's key, where there are several. Times are milliseconds
 * since the attempt began; `startedAt` is epoch milliseconds. `abandoned` says that it was given up before its end: its
 * caller left, or another attempt was faster.
 */
export const AttemptRecord = Schema.Struct({
  provider: Schema.String,
  model: Schema.String,
  key: Schema.optionalKey(Schema.String),
  startedAt: Moment,
  waitedMs: Milliseconds,
  firstByteMs: Schema.optionalKey(Milliseconds),
  firstTokenMs: Schema.optionalKey(Milliseconds),
  endedMs: Schema.optionalKey(Milliseconds),
  status: Schema.optionalKey(Schema.Int),
  failure: Schema.optionalKey(Schema.Struct({ reason: FailureReason, message: Schema.String })),
  abandoned: Schema.optionalKey(Schema.Literal(true)),
  usage: Usage,
  cost: Schema.optionalKey(Cost),
  /** it went on with an answer that had broken off after so many characters of text: from there, or from the beginning */
  rescue: Schema.optionalKey(Schema.Struct({ by: Schema.Literals(["continue", "restart"]), at: Schema.Natural }))
})
export type AttemptRecord = typeof AttemptRecord.Type

/** Something that happened on the way and that the caller may want to know: a field left out, a seam, a limit. */
export const Notice = Schema.Struct({ code: Schema.String, message: Schema.String })
export type Notice = typeof Notice.Type

/**
 * Something that a filter found: in the request or the answer, what kind of thing, and how much it matters. `excerpt` is a
 * piece of the text around it, at most 240 code points, where showing it is no harm.
 */
export const Finding = Schema.Struct({
  filter: Schema.String,
  phase: Schema.Literals(["request", "answer"]),
  category: Schema.String,
  severity: Schema.Literals(["low", "medium", "high"]),
  action: Schema.Literals(["observed", "changed", "refused", "handedOff", "stopped"]),
  excerpt: Schema.optionalKey(Schema.String)
})
export type Finding = typeof Finding.Type

/**
 * A filter that failed on the request or the answer of a call: it broke, took too long, said what no filter may say, or was
 * left alone because it had failed too often. `policy` is what was done: the text passed as it was (`open`), the call
 * failed (`closed`), or the text was left out (`drop`).
 */
export const FilterFailure = Schema.Struct({
  filter: Schema.String,
  phase: Schema.Literals(["request", "answer"]),
  kind: Schema.Literals(["error", "timeout", "garbage", "unavailable"]),
  policy: Schema.Literals(["open", "closed", "drop"])
})
export type FilterFailure = typeof FilterFailure.Type

/** A finding without the text around it, for where that is not to be kept. */
export const withoutExcerpt: (finding: Finding) => Finding = Struct.omit(["excerpt"])

/** Findings without the text around them. */
export const withoutExcerpts = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.map(withoutExcerpt)

/** What is known of a call when it opens. */
export const OpenRecord = Schema.Struct({
  id: Schema.String,
  requestId: Schema.optionalKey(Schema.String),
  dialect: Schema.optionalKey(Schema.String),
  model: Schema.String,
  delivery: Schema.Literals(["stream", "whole"]),
  caller: Caller,
  conversation: Schema.optionalKey(Schema.String),
  openedAt: Moment,
  askedBy: Schema.optionalKey(Asker),
  /** models that filters gave its request to */
  handedTo: Schema.optionalKey(Schema.Array(Schema.String)),
  request: Schema.optionalKey(Schema.Json),
  /** the request as JSON text, exactly as it came: recorded in place of `request`, which need not be written anew */
  requestText: Schema.optionalKey(Schema.String)
})
export type OpenRecord = typeof OpenRecord.Type

/** What is known when it has ended. Milliseconds count from the call's arrival; absent means it never came to that. */
export const FinalRecord = Schema.Struct({
  id: Schema.String,
  outcome: Outcome,
  target: Schema.optionalKey(Schema.Struct({ provider: Schema.String, model: Schema.String })),
  /** of the attempt that answered, or of the last one; what the others used stands with them */
  usage: Usage,
  /** of all attempts; absent where none of them used anything */
  cost: Schema.optionalKey(Cost),
  firstByteMs: Schema.optionalKey(Milliseconds),
  firstTokenMs: Schema.optionalKey(Milliseconds),
  totalMs: Milliseconds,
  /** what came from the provider and what was handed to the caller */
  upstream: Schema.Struct({ bytes: Schema.Natural, frames: Schema.Natural, events: Schema.Natural }),
  delivered: Schema.Struct({ bytes: Schema.Natural }),
  attempts: Schema.Array(AttemptRecord),
  /** attempts beyond the first, where there were any */
  retries: Schema.optionalKey(Schema.Natural),
  /** a provider said that it was asked too often, whatever came of it */
  rateLimited: Schema.optionalKey(Schema.Literal(true)),
  notices: Schema.Array(Notice),
  /** all models that filters gave it to */
  handedTo: Schema.optionalKey(Schema.Array(Schema.String)),
  findings: Schema.optionalKey(Schema.Array(Finding)),
  /** filters that failed, each with how often it did so in this way, where any did */
  filterFailures: Schema.optionalKey(Schema.Array(Schema.Struct({ ...FilterFailure.fields, times: Schema.Natural }))),
  response: Schema.optionalKey(LlmResponse)
})
export type FinalRecord = typeof FinalRecord.Type

/**
 * A call that has ended: what was asked, and its terminal record. `openedAt` is epoch milliseconds. The request is as filters
 * left it, under the model's name that the caller gave; where they changed it there is no `origin`.
 */
export interface EndedCall {
  readonly id: string
  readonly call: Call
  readonly openedAt: number
  readonly record: FinalRecord
}
