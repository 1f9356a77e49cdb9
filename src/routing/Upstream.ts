import { Context, type Effect, type Exit, Layer, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Notice, Origin } from "../domain/Call.ts"
import type { EmbeddingAnswer, EmbeddingRequest } from "../domain/Embedding.ts"
import { frameOf, type Frame } from "../domain/Frame.ts"
import { Grammar } from "../domain/Grammar.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { unmetRequirement } from "../domain/requirements.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"

/**
 * What an upstream tells about an attempt while it goes on. Every method is synchronous and cheap. The connect timeout
 * ends with the first thing that is told or the first frame; an upstream that has nothing to connect to says `connected`
 * when it begins.
 */
export interface AttemptObserver {
  /** the connection stands and the request is being sent */
  readonly connected: () => void
  /** the head of the answer came */
  readonly head: (status: number) => void
  /** so many bytes came; also bytes that decode to nothing (comments, pings) are life */
  readonly bytes: (count: number) => void
  /** something the caller should know, e.g. a field that this target cannot express */
  readonly notice: (notice: Notice) => void
}

/** One attempt's request to one target. */
export interface UpstreamRequest {
  readonly request: LlmRequest
  /** the target's own name of the model */
  readonly model: string
  readonly delivery: Delivery
  /** the format the call came in by, which a provider that speaks several of them prefers */
  readonly dialect: string | undefined
  /** the caller's own document, where nobody changed the request since */
  readonly origin: Origin | undefined
  readonly observer: AttemptObserver
}

/** Where an upstream puts an answer that its connection brings by calling back. Nothing here fails, suspends or throws. */
export interface FrameSink {
  /** Takes what was decoded; false where no more should come before `Feed.resume`. */
  readonly accept: (batch: NonEmptyReadonlyArray<Frame>) => boolean
  /** The connection ended (whether the answer is complete the sink knows), or failed. Nothing comes after it. */
  readonly end: (exit: Exit.Exit<void, LlmError>) => void
}

/** An answer on its way into a sink. */
export interface Feed {
  /** the sink has room again */
  readonly resume: () => void
  /**
   * Waits no longer: an answer that has said how it ends, and only lacks its terminator, is ended well, and a refusal that
   * only lacks its words fails by its status; otherwise nothing happens.
   */
  readonly conclude: () => void
  /** Lets the provider go at once; the sink is told nothing more. */
  readonly stop: () => void
}

/** A request to be counted, not answered. */
export type CountRequest = Pick<UpstreamRequest, "request" | "model" | "origin">

/** A request for vectors; `observer` is told of the connection and the head of the answer. */
export interface EmbedRequest extends Pick<UpstreamRequest, "model" | "origin"> {
  readonly request: EmbeddingRequest
  readonly observer: Pick<AttemptObserver, "connected" | "head">
}

/**
 * The port to one provider: streams the answer of one request.
 *
 * The stream is started once per attempt and interrupted when the attempt is given up, so whatever it holds (a socket)
 * belongs to its scope. It ends well only after `Finish`; a failure before the first content may be retried elsewhere.
 */
export class Upstream extends Context.Service<
  Upstream,
  {
    readonly stream: (request: UpstreamRequest) => Stream.Stream<Frame, LlmError>
    /**
     * The same answer without a stream and a fiber to run it, begun at once: a call is the cheaper for it. Where it is
     * there the engine takes it and never `stream`, so that who wraps an upstream leaves it out or wraps it too.
     */
    readonly feed?: (request: UpstreamRequest, sink: FrameSink) => Feed
    /** whether a model goes on with a last turn of the assistant, so that an answer that broke off can be; absent: not known */
    readonly continues?: (model: string) => boolean | undefined
    /** how many tokens the provider takes the request for; absent where it cannot be asked */
    readonly countTokens?: (request: CountRequest) => Effect.Effect<number, LlmError>
    /** the vectors of texts; absent where the provider has none to give */
    readonly embed?: (request: EmbedRequest) => Effect.Effect<EmbeddingAnswer, LlmError>
    /** the models that the provider says it has; absent where it cannot be asked. Takes as long as it takes. */
    readonly listModels?: Effect.Effect<ReadonlyArray<string>, LlmError>
  }
>()("millrace/routing/Upstream") {
  /**
   * An upstream from a function of the canonical request to events, for programs and tests. It has no connection to wait
   * for, so that the connect timeout never strikes. Events that are no answer (a delta of a block that did not begin) fail
   * the attempt with `InvalidOutput`; what follows `Finish` does not count.
   */
  static readonly fromEvents = (
    events: (request: UpstreamRequest) => Stream.Stream<LlmEvent, LlmError>
  ): Upstream["Service"] => ({
    stream: (request) =>
      Stream.suspend(() => {
        request.observer.connected()
        const unmet = unmetRequirement(request.request, undefined)
        if (unmet !== undefined) return Stream.fail(unmet)
        return readable(events(request))
      })
  })

  /** The layer of one upstream. */
  static readonly layer = (upstream: Upstream["Service"]): Layer.Layer<Upstream> => Layer.succeed(Upstream, upstream)
}

/** Events as frames, up to the first one that nobody could read. */
const readable = (events: Stream.Stream<LlmEvent, LlmError>): Stream.Stream<Frame, LlmError> => {
  const grammar = new Grammar()
  let broken: LlmError | undefined
  const isUnreadable = (event: LlmEvent): boolean => {
    const fault = grammar.finished ? undefined : grammar.fault(event)
    if (fault !== undefined) {
      broken = failure(
        { _tag: "InvalidOutput", kind: "malformedFrame" },
        `The provider's answer cannot be read: ${fault}`
      )
    }
    return fault !== undefined
  }
  return events.pipe(
    Stream.mapArray((batch) => {
      const end = batch.findIndex(isUnreadable)
      return [frameOf(end < 0 ? batch : batch.slice(0, end))]
    }),
    Stream.takeUntil(() => broken !== undefined),
    Stream.concat(Stream.suspend(() => (broken === undefined ? Stream.empty : Stream.fail(broken))))
  )
}
