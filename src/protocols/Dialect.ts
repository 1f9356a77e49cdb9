import type { Result, Schema } from "effect"
import type { Notice, Origin } from "../domain/Call.ts"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LimitState } from "../domain/RateLimit.ts"
import type { Finish, LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"
import type { LlmResponse } from "../domain/LlmResponse.ts"

/** A request as a dialect understood it. */
export interface DecodedRequest {
  readonly request: LlmRequest
  readonly delivery: Delivery
}

/** What of a request stands in its path rather than in its body, where a format has it so. */
export interface PathFacts {
  readonly model: string
  readonly delivery: Delivery
}

/** What a renderer knows of the call whose answer it renders. `created` is in seconds since the epoch. */
export interface RenderContext {
  /** an id for the answer where the provider gave none */
  readonly id: string
  readonly created: number
  readonly request: LlmRequest
  /** the request in the dialect's own words; absent where a program made the call */
  readonly origin: Origin | undefined
}

/**
 * Renders the events of one stream, one renderer per stream, mutable by design. Everything returned is whole frames,
 * ready to be sent; the empty string says that there is nothing to send yet.
 */
export interface StreamRenderer {
  /** Renders one event. */
  event(event: LlmEvent): string
  /**
   * A frame of the dialect's own format that nobody changed: its text, with the few edits that the dialect needs
   * (an unasked usage frame withheld, a terminator that does not belong). The renderer also keeps its state from the
   * frame's events, so that a later frame that has no text of its own (a filter made it) can be rendered after it.
   */
  verbatim(frame: Frame): string
  /** The stream ended well: what is still owed, the terminator where the dialect has one and it was not sent. */
  end(): string
  /** The stream failed: the dialect's error in the stream. Nothing is sent after it. */
  failure(error: LlmError): string
  /** The stream failed after its end was rendered, which was not sent: the dialect's error in the place of that. */
  insteadOfEnd(error: LlmError): string
  /** What could not be said in this dialect, so far. */
  readonly notices: ReadonlyArray<Notice>
}

/** An answer that is not a stream. */
export interface RenderedAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: Schema.Json
}

/** The inbound half of a wire format: a value, pure functions, without IO. */
export interface Dialect {
  /** the wire format, equal to its `Protocol`'s id where both halves exist */
  readonly id: string
  /**
   * Reads a request, or says which field is wrong and how to mend it (an `InvalidRequest` with its path). `headers` are
   * those of the request that belong to the format.
   */
  readonly decode: (
    body: Schema.Json,
    path?: PathFacts,
    headers?: Origin["headers"]
  ) => Result.Result<DecodedRequest, LlmError>
  readonly renderer: (context: RenderContext) => StreamRenderer
  /** Renders a whole answer; what cannot be said is added to `notices`. */
  readonly renderWhole: (response: LlmResponse, context: RenderContext, notices: Array<Notice>) => Schema.Json
  /** Renders a failure that comes before the head of the answer, with its status and hints. */
  readonly renderError: (error: LlmError, requestId: string) => RenderedAnswer
  /** The failure that an ending is told as, where the format has no word for it that would not look like a success. */
  readonly failsOn?: (finish: Pick<Finish, "reason" | "rawReason">) => LlmError | undefined
  /** what is left of a caller's limits, in headers that SDKs of the format know; absent where they know none */
  readonly limitHeaders?: (limits: ReadonlyArray<LimitState>) => { readonly [name: string]: string }
  /** of a stream; server-sent events unless it says otherwise */
  readonly contentType?: string
  /**
   * its answers repeat what was asked: where filters changed that, a provider's own text repeats what the caller did not
   * write and may not see, and everything is rendered
   */
  readonly repeatsRequest?: true
  /** what is sent while there is nothing to say */
  readonly keepAlive: string
  /** request headers that belong to the format and go on to a provider of the same format, lower case */
  readonly headers: ReadonlyArray<string>
  /** where SDKs of the format look for the id of a request, if not in `x-request-id` */
  readonly requestIdHeader?: string
}
