import type { Result, Schema } from "effect"
import type { Notice, Origin } from "../domain/Call.ts"
import type { EmbeddingAnswer, EmbeddingRequest } from "../domain/Embedding.ts"
import type { LlmError } from "../domain/LlmError.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"
import type { FrameDecoder, WireFrame } from "../wire/Frame.ts"
import type { NameForm } from "./ToolNames.ts"

/** What a server of a protocol does differently from the one that defined it. Each is named for what it means. */
export interface Quirks {
  /** rejects `stream_options`: usage of streams is then only what it volunteers */
  readonly noStreamOptions?: true
  /** answers only in streams */
  readonly onlyStreams?: true
  /** answers only in streams what may be longer than 4096 tokens */
  readonly longStreams?: true
  /** wants `max_tokens` where newer servers of the protocol want `max_completion_tokens` */
  readonly legacyMaxTokens?: true
  /** does not know the role `developer` */
  readonly noDeveloperRole?: true
  /** holds answers to JSON, and not to a schema of it */
  readonly noJsonSchema?: true
  /** holds answers to a schema of JSON, and not to any JSON */
  readonly noJsonObject?: true
  /** does not know a tool choice among several tools */
  readonly noAllowedTools?: true
  /** refuses `reasoning_content` in earlier turns: it knows their reasoning as `reasoning` */
  readonly noReasoningContent?: true
  /** knows the reasoning of earlier turns as parts of their content, of the type `thinking`, and in no field beside it */
  readonly thinkingParts?: true
  /** refuses earlier turns of the model without their reasoning */
  readonly wantsReasoning?: true
  /** is told in `thinking` whether to think, and thinks unless it is told not to */
  readonly thinkingSwitch?: true
  /** is told by `reasoning_effort` whether to think, as `none` or `default`, and not how much */
  readonly effortSwitch?: true
  /** refuses to be told how much to think */
  readonly noReasoningEffort?: true
  /** has models that cannot be made to call a tool while they think */
  readonly noForcedCalls?: true
  /** cannot be told which tool to call, only that one has to be */
  readonly noNamedCalls?: true
  /** takes no choice of tools but that the model may call them */
  readonly onlyAutoCalls?: true
  /** refuses turns of the model that have no content, be they calls: an empty text is one */
  readonly wantsContent?: true
  /** refuses words of the user right after the results of tools */
  readonly noUserAfterTools?: true
  /** refuses several messages of one role in a row */
  readonly alternatingTurns?: true
  /** takes an id of a tool call only if it is nine letters and digits */
  readonly shortCallIds?: true
  /** calls the seed `random_seed` */
  readonly randomSeed?: true
  /** refuses to be asked for log probabilities, and to have them moved */
  readonly noLogprobs?: true
  /** refuses penalties for what was said before */
  readonly noPenalties?: true
  /** refuses stop sequences */
  readonly noStop?: true
  /** refuses to be told how tokens are drawn */
  readonly fixedSampling?: true
  /** refuses messages that name who speaks */
  readonly noNames?: true
  /** knows neither an end user nor service tiers, and refuses both */
  readonly noUser?: true
  /** is a Millrace itself, and takes back the proofs that were sealed: they are for a provider behind it */
  readonly takesSeals?: true
  /** refuses a budget for thinking: its models decide themselves, and take an effort */
  readonly adaptiveThinking?: true
  /** is Vertex AI, which gives vectors by `predict`, or of one text at a time */
  readonly predicts?: true
  /** is a cloud that knows these betas of Claude's API alone, and refuses requests for others and for what is new in caching */
  readonly betas?: ReadonlyArray<string>
}

/** What a request is encoded for: the target's model, how the answer should come, what is peculiar there. */
export interface EncodeContext {
  readonly model: string
  readonly delivery: Delivery
  readonly quirks: Quirks
  /**
   * The request as it was received, present only where it came in by this same protocol and nobody changed it: it then
   * goes on as it is, apart from the model's name and what is needed to learn the usage.
   */
  readonly origin: Origin | undefined
}

/** A request ready to be sent. `path` is relative to the deployment's base URL; `notices` say what had to be left out. */
export interface EncodedRequest {
  readonly path: string
  readonly headers: { readonly [name: string]: string }
  readonly body: { readonly [key: string]: Schema.Json }
  readonly notices: ReadonlyArray<Notice>
}

/** What a provider's answer says of the vectors that were asked for. */
export type ReadEmbeddings = Pick<EmbeddingAnswer, "vectors" | "usage"> & { readonly model?: string }

/** How a server of a protocol is asked for vectors. */
export interface Embedding {
  /** how many inputs one request may have; more are asked for in several. No limit where it is absent. */
  readonly most?: (context: Pick<EncodeContext, "model" | "quirks">) => number
  /** the format whose documents the answers are, where they can be handed on as they are */
  readonly format?: string
  readonly encode: (
    request: EmbeddingRequest,
    context: Pick<EncodeContext, "model" | "quirks" | "origin">
  ) => Result.Result<EncodedRequest, LlmError>
  readonly read: (body: unknown) => ReadEmbeddings | undefined
}

/** How a server of a protocol is asked for its models. */
export interface ModelListing {
  readonly path: string
  readonly headers?: { readonly [name: string]: string }
  readonly read: (body: unknown) => ReadonlyArray<string> | undefined
}

/** An HTTP answer that is not a success. Header names are lower case. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/**
 * Decodes the frames of one stream, one decoder per stream. It is mutable by design: events are pushed into `events`,
 * state costs the size of the frame and never of what came before.
 */
export interface StreamDecoder {
  /** Decodes one frame. A returned error is the provider's own, sent in the stream: nothing after it counts. */
  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined
  /**
   * The transport ended well. Pushes what is still owed, `Finish` last, or says that the stream is incomplete: it
   * stopped with neither a finish reason nor the protocol's own terminator.
   */
  halt(events: Array<LlmEvent>): LlmError | undefined
  /**
   * Whether the frame that was decoded last writes on in an answer that has said how it ended. That counts for nothing, no
   * filter sees it, and so it is not handed on as it stands. Absent where there is no such thing.
   */
  readonly isLate?: boolean
}

/**
 * The outbound half of a wire format: a value, pure data and step functions, without IO.
 *
 * Events obey the grammar of `LlmEvent`: `Started` first, blocks start, deltas, end, `Finish` exactly once and last.
 */
export interface Protocol {
  readonly id: string
  /** the format whose frames and whole answers its own are, so that they can be handed on as they are; `id` unless said */
  readonly speaks?: string
  readonly encode: (request: LlmRequest, context: EncodeContext) => Result.Result<EncodedRequest, LlmError>
  /**
   * Whether a model goes on with a last turn of the assistant rather than answering it; undefined where that is not known of
   * the model. Absent where the protocol has no such thing.
   */
  readonly continues?: (model: string) => boolean | undefined
  /** which names of functions its servers take; absent where they take any */
  readonly toolNames?: NameForm
  /** bytes to frames, one per stream */
  readonly frames: () => FrameDecoder
  readonly decoder: () => StreamDecoder
  /** a whole answer as the events that a stream of it would have been */
  readonly decodeWhole: (body: unknown, events: Array<LlmEvent>) => LlmError | undefined
  /** how a server of the protocol is asked for the size of a request, where it can be asked */
  readonly countTokens?: {
    /** only some models are counted for: a refusal says nothing of the request */
    readonly partial?: true
    readonly encode: Protocol["encode"]
    readonly read: (body: unknown) => number | undefined
  }
  readonly embed?: Embedding
  readonly listModels?: ModelListing
  /** the reason of an HTTP error answer, with the provider's own message, status and hints */
  readonly decodeError: (answer: ErrorAnswer) => LlmError
}
