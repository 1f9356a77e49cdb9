import { Cause, Channel, Effect, Pull, Redacted, Result, Scope, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Frame } from "../domain/Frame.ts"
import { LlmError, type ProviderFault } from "../domain/LlmError.ts"
import { unmetRequirement } from "../domain/requirements.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery } from "../domain/LlmRequest.ts"
import type { EncodeContext, EncodedRequest, Protocol, Quirks } from "../protocols/Protocol.ts"
import { sealedFor } from "../protocols/SealedReasoning.ts"
import { startingWith } from "../routing/startingWith.ts"
import type { AttemptObserver, Upstream, UpstreamRequest } from "../routing/Upstream.ts"
import { framesFrom } from "./frames.ts"
import { parseJson, questionsTo, type Ask } from "./questions.ts"
import { HttpTransport, type HttpAnswer, type HttpRequest } from "./HttpTransport.ts"

/** How a key is shown to a provider. */
export type Auth = (key: string) => { readonly [header: string]: string }

/** The key as `Authorization: Bearer`, which most providers expect. */
export const bearer: Auth = (key) => ({ authorization: `Bearer ${key}` })
/** The key as `x-api-key`, which Anthropic expects. */
export const apiKeyHeader: Auth = (key) => ({ "x-api-key": key })

/** A request as it is about to be sent, apart from what proves who sends it. */
export type UnsignedRequest = Pick<HttpRequest, "method" | "url" | "headers"> & { readonly body: string }

/** A request as a protocol encoded it; without a body it asks for something (GET). */
export type RoutedRequest = Pick<EncodedRequest, "path" | "headers"> & { readonly body?: EncodedRequest["body"] }

/**
 * Who a request comes from, where that takes more than showing a key: a signature over it, or a token that is fetched.
 * `sign` is asked once for every request and returns the headers to add; what it knows by now and must not be repeated to
 * callers is in `secrets`.
 */
export interface Signer {
  readonly sign: (request: UnsignedRequest) => Effect.Effect<{ readonly [header: string]: string }, LlmError>
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}

/**
 * The same request as it is sent to a deployment that has other paths than the protocol's own servers, and perhaps wants
 * the model in the path, or a version in the body. The path stays relative to the base URL.
 */
export type Route = (encoded: RoutedRequest) => RoutedRequest

/**
 * A place to call: protocol × endpoint × auth × quirks. A provider that speaks several protocols lists them in the order
 * of its preference; a call takes that of its own dialect where it is listed, else the first.
 */
export interface Deployment {
  readonly provider: string
  readonly protocols: readonly [Protocol, ...ReadonlyArray<Protocol>]
  /** what a protocol's path is appended to, without a slash at its end */
  readonly baseUrl: string
  readonly auth: Auth
  readonly apiKey: Redacted.Redacted | undefined
  readonly signer?: Signer
  /** where its paths are not those of the protocol's own servers */
  readonly route?: Route
  readonly headers: { readonly [name: string]: string }
  readonly quirks: Quirks
  /** whether its models go on with the beginning of an answer, where that is not as the protocol has it */
  readonly continues?: boolean
}

/** Largest body of an answer that is read as a whole, in bytes. */
const maxWholeBody = 64 * 1024 * 1024
const maxErrorBody = 1024 * 1024

/** The upstream of a deployment: encodes, sends, and decodes what comes back into frames. */
export const deploymentUpstream = (deployment: Deployment): Effect.Effect<Upstream["Service"], never, HttpTransport> =>
  Effect.map(HttpTransport, (transport) => {
    const { route = asEncoded } = deployment
    const { takesSeals } = deployment.quirks
    const send = (unrouted: RoutedRequest, delivery: Delivery, observer: Observer | undefined) => {
      const encoded = route(unrouted)
      const request: UnsignedRequest = {
        method: encoded.body === undefined ? "GET" : "POST",
        url: new URL(deployment.baseUrl + encoded.path),
        headers: {
          ...(encoded.body === undefined ? {} : { "content-type": "application/json" }),
          accept: delivery === "stream" ? "text/event-stream" : "application/json",
          // Nothing here unpacks.
          "accept-encoding": "identity",
          ...encoded.headers,
          ...deployment.headers,
          ...(deployment.apiKey === undefined ? {} : deployment.auth(Redacted.value(deployment.apiKey)))
        },
        body: encoded.body === undefined ? "" : JSON.stringify(encoded.body)
      }
      const onConnected = observer?.connected ?? ignore
      const onBytes = observer?.bytes ?? ignore
      if (deployment.signer === undefined) return transport.send({ ...request, onConnected, onBytes })
      return Effect.flatMap(deployment.signer.sign(request), (signed) =>
        transport.send({ ...request, headers: { ...request.headers, ...signed }, onConnected, onBytes })
      )
    }

    const named = naming(deployment)
    // One generator for all calls: one made anew in each costs several times what it does.
    const answerTo = Effect.fnUntraced(function* (request: UpstreamRequest) {
      const protocol = protocolFor(deployment, request.dialect)
      const unmet = unmetRequirement(request.request, protocol.id)
      if (unmet !== undefined) return yield* unmet
      const context = encodeContext(deployment, protocol, request, request.delivery)
      const asked = takesSeals === true ? sealedFor(protocol.id, request.request) : request.request
      const encoded = yield* Effect.fromResult(protocol.encode(asked, context))
      for (const notice of encoded.notices) request.observer.notice(notice)
      const answer = yield* send(encoded, request.delivery, request.observer)
      request.observer.head(answer.status)
      if (answer.status >= 300) return yield* errorAnswer(protocol, answer)
      switch (kindOf(answer, request)) {
        case "stream":
          return yield* framesFrom(protocol, answer.pull)
        case "whole":
          return yield* decodeBody(protocol, answer.text(maxWholeBody))
        case "either":
          return yield* decodeEither(protocol, answer)
      }
    })
    // What is done for every batch has one step: a mapping of the stream's errors would be another.
    const stream = (request: UpstreamRequest) =>
      Stream.fromChannel(
        Channel.fromTransform((_: Pull.Pull<unknown, unknown, unknown>, scope) =>
          answerTo(request).pipe(
            Scope.provide(scope),
            Effect.mapError(named),
            Effect.map(Effect.mapError((error) => (Cause.isDone(error) ? error : named(error))))
          )
        )
      )

    const ask: Ask = (protocol, encoded, limit, observer) =>
      send(encoded, "whole", observer).pipe(
        Effect.tap(({ status }) => Effect.sync(() => observer?.head(status))),
        Effect.flatMap((answer) => (answer.status >= 300 ? errorAnswer(protocol, answer) : answer.text(limit))),
        Effect.scoped
      )
    const { listModels, ...others } = questionsTo(deployment, ask, named)
    // Who has other paths lists at the usual one, if at all, what could be deployed there, not what is.
    const continues = (model: string) => deployment.continues ?? everyContinues(deployment, model)
    return {
      stream,
      continues,
      ...others,
      ...(listModels === undefined || deployment.route !== undefined ? {} : { listModels })
    }
  })

const asEncoded: Route = (encoded) => encoded

type Observer = Pick<AttemptObserver, "connected"> & Partial<Pick<AttemptObserver, "bytes">>

const ignore = () => {}

const protocolFor = ({ protocols }: Deployment, dialect: string | undefined): Protocol =>
  protocols.find((protocol) => protocol.id === dialect) ?? protocols[0]

/** A call may be sent in any of the protocols. */
const everyContinues = ({ protocols }: Deployment, model: string): boolean | undefined => {
  const each = protocols.map(({ continues }) => (continues === undefined ? false : continues(model)))
  return each.includes(false) ? false : each.includes(undefined) ? undefined : true
}

const encodeContext = (
  deployment: Deployment,
  protocol: Protocol,
  request: Pick<UpstreamRequest, "model" | "origin">,
  delivery: Delivery
): EncodeContext => ({
  model: request.model,
  delivery,
  quirks: deployment.quirks,
  origin: request.origin?.protocol === protocol.id ? request.origin : undefined
})

/**
 * Puts the provider's name into what it said, so that nobody takes it for Millrace's own word, and takes out the secrets,
 * which some repeat to whoever shows a wrong one.
 */
const naming = ({ provider, apiKey, signer }: Deployment) => {
  const without = (text: string): string =>
    // Asked anew: a signer may have come by another one.
    [...(apiKey === undefined ? [] : [apiKey]), ...(signer?.secrets ?? [])]
      .map(Redacted.value)
      .filter((secret) => secret !== "")
      .reduce((shown, secret) => shown.replaceAll(secret, "<redacted>"), text)
  // Callers have keys of their own, which are not the ones that were refused.
  const ownKey = `the provider ${provider} did not accept the key that it is configured with`
  return (error: LlmError): LlmError => {
    const { raw, ...fault } = error.fault ?? {}
    return new LlmError({
      reason: error.reason,
      message: without(error.reason._tag === "Unauthorized" ? `${error.message} (${ownKey})` : error.message),
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      fault: { ...fault, ...(raw === undefined ? {} : { raw: without(raw) }), provider } satisfies ProviderFault
    })
  }
}

/**
 * Servers answer as they like: what counts is what the answer says it is, and only then what was asked for. A stream may
 * be said to be JSON, which the answer of a server that does not stream is too.
 */
const kindOf = (answer: HttpAnswer, request: UpstreamRequest): Delivery | "either" => {
  const type = answer.headers["content-type"] ?? ""
  if (type.includes("event-stream") || type.includes("ndjson")) return "stream"
  return request.delivery === "whole" ? "whole" : type.includes("json") ? "either" : "stream"
}

/** Tells a document from a stream of events by how it begins. */
const decodeEither = Effect.fnUntraced(function* (protocol: Protocol, answer: HttpAnswer) {
  const first = yield* Pull.catchDone(answer.pull, () => Effect.succeed(undefined))
  if (first === undefined || /^\s*[{[]/.test(Buffer.concat(first).toString("latin1"))) {
    return yield* decodeBody(protocol, answer.text(maxWholeBody, first))
  }
  return yield* framesFrom(protocol, startingWith(first, answer.pull))
})

const errorAnswer = (protocol: Protocol, answer: HttpAnswer): Effect.Effect<never, LlmError> =>
  Effect.flatMap(
    // The status is the message; a body that breaks off does not change it.
    Effect.orElseSucceed(answer.text(maxErrorBody), () => ""),
    (body) => protocol.decodeError({ status: answer.status, headers: answer.headers, body })
  )

/** A whole answer: one frame, and then the end. */
const decodeBody = (
  protocol: Protocol,
  text: Effect.Effect<string, LlmError>
): Effect.Effect<Pull.Pull<NonEmptyReadonlyArray<Frame>, LlmError>, LlmError> =>
  Effect.flatMap(text, (raw) => {
    const events: Array<LlmEvent> = []
    const error = decodeWhole(protocol, raw, events)
    const frame: Frame = { protocol: protocol.id, delivery: "whole", raw, events }
    return error ?? Effect.succeed(startingWith([frame], Cause.done()))
  })

const decodeWhole = (protocol: Protocol, raw: string, events: Array<LlmEvent>): LlmError | undefined => {
  const body = parseJson(raw)
  return Result.isSuccess(body) ? protocol.decodeWhole(body.success, events) : body.failure
}
