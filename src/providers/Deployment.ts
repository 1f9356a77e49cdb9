import { Effect, Pull, Redacted, Result, Stream } from "effect"
import type { Frame } from "../domain/Frame.ts"
import { failure, LlmError, type ProviderFault } from "../domain/LlmError.ts"
import { unmetRequirement } from "../domain/requirements.ts"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Delivery } from "../domain/LlmRequest.ts"
import type { EncodeContext, EncodedRequest, Protocol, Quirks } from "../protocols/Protocol.ts"
import type { CountRequest, Upstream, UpstreamRequest } from "../routing/Upstream.ts"
import { decodeFrames } from "./frames.ts"
import { HttpTransport, type HttpAnswer, type HttpRequest } from "./HttpTransport.ts"

/** How a key is shown to a provider. */
export type Auth = (key: string) => { readonly [header: string]: string }

export const bearer: Auth = (key) => ({ authorization: `Bearer ${key}` })
export const apiKeyHeader: Auth = (key) => ({ "x-api-key": key })

/** A request as it is about to be sent, apart from what proves who sends it. */
export type UnsignedRequest = Pick<HttpRequest, "method" | "url" | "headers"> & { readonly body: string }

/**
 * Who a request comes from, where that takes more than showing a key: a signature over it, or a token that is fetched.
 * `sign` is asked once for every request and returns the headers to add; what it knows and must not be repeated to
 * callers is in `secrets`.
 */
export interface Signer {
  readonly sign: (request: UnsignedRequest) => Effect.Effect<{ readonly [header: string]: string }, LlmError>
  readonly secrets: ReadonlyArray<Redacted.Redacted>
}

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
  readonly headers: { readonly [name: string]: string }
  readonly quirks: Quirks
}

/** Largest body of an answer that is read as a whole, in bytes. */
const maxWholeBody = 64 * 1024 * 1024
const maxErrorBody = 1024 * 1024

const countingTimeout = "30 seconds"
const countingTimedOut = failure({ _tag: "Timeout", phase: "total" }, "The provider did not count in time")

/** The upstream of a deployment: encodes, sends, and decodes what comes back into frames. */
export const deploymentUpstream = (deployment: Deployment): Effect.Effect<Upstream["Service"], never, HttpTransport> =>
  Effect.map(HttpTransport, (transport) => {
    const send = (encoded: EncodedRequest, delivery: Delivery, onConnected: () => void) => {
      const request: UnsignedRequest = {
        method: "POST",
        url: new URL(deployment.baseUrl + encoded.path),
        headers: {
          "content-type": "application/json",
          accept: delivery === "stream" ? "text/event-stream" : "application/json",
          // Nothing here unpacks.
          "accept-encoding": "identity",
          ...encoded.headers,
          ...deployment.headers,
          ...(deployment.apiKey === undefined ? {} : deployment.auth(Redacted.value(deployment.apiKey)))
        },
        body: JSON.stringify(encoded.body)
      }
      if (deployment.signer === undefined) return transport.send({ ...request, onConnected })
      return Effect.flatMap(deployment.signer.sign(request), (signed) =>
        transport.send({ ...request, headers: { ...request.headers, ...signed }, onConnected })
      )
    }

    const named = naming(deployment)
    // One generator for all calls: one made anew in each costs several times what it does.
    const answerTo = Effect.fnUntraced(function* (request: UpstreamRequest) {
      const protocol = protocolFor(deployment, request.dialect)
      const unmet = unmetRequirement(request.request, protocol.id)
      if (unmet !== undefined) return yield* unmet
      const context = encodeContext(deployment, protocol, request, request.delivery)
      const encoded = yield* Effect.fromResult(protocol.encode(request.request, context))
      for (const notice of encoded.notices) request.observer.notice(notice)
      const answer = yield* send(encoded, request.delivery, request.observer.connected)
      request.observer.head(answer.status)
      const observed = observeBytes(answer, request)
      if (answer.status >= 300) return yield* errorAnswer(protocol, observed)
      switch (kindOf(answer, request)) {
        case "stream":
          return decodeFrames(protocol)(observed.body)
        case "whole":
          return decodeBody(protocol, observed)
        case "either":
          return yield* decodeEither(protocol, observed)
      }
    })
    const stream = (request: UpstreamRequest) => Stream.mapError(Stream.unwrap(answerTo(request)), named)

    const counting = deployment.protocols.find((protocol) => protocol.countTokens !== undefined)
    if (counting?.countTokens === undefined) return { stream }
    const { encode, read } = counting.countTokens
    const countTokens = (request: CountRequest) =>
      Effect.gen(function* () {
        const context = encodeContext(deployment, counting, request, "whole")
        const encoded = yield* Effect.fromResult(encode(request.request, context))
        const answer = yield* send(encoded, "whole", () => {})
        if (answer.status >= 300) return yield* errorAnswer(counting, answer)
        const body = yield* Effect.fromResult(parseJson(yield* collect(answer, maxErrorBody)))
        return (
          read(body) ??
          (yield* failure(
            { _tag: "InvalidOutput", kind: "malformedFrame" },
            "The provider did not say the number of tokens"
          ))
        )
      }).pipe(
        Effect.scoped,
        Effect.timeoutOrElse({ duration: countingTimeout, orElse: () => countingTimedOut }),
        Effect.mapError(named)
      )
    return { stream, countTokens }
  })

const protocolFor = ({ protocols }: Deployment, dialect: string | undefined): Protocol =>
  protocols.find((protocol) => protocol.id === dialect) ?? protocols[0]

const encodeContext = (
  deployment: Deployment,
  protocol: Protocol,
  request: CountRequest,
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
  const secrets = [...(apiKey === undefined ? [] : [apiKey]), ...(signer?.secrets ?? [])]
    .map(Redacted.value)
    .filter((secret) => secret !== "")
  const without = (text: string): string =>
    secrets.reduce((shown, secret) => shown.replaceAll(secret, "<redacted>"), text)
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

const observeBytes = (answer: HttpAnswer, { observer }: UpstreamRequest): HttpAnswer => ({
  ...answer,
  body: Stream.mapArray(answer.body, (chunks) => {
    let count = 0
    for (const chunk of chunks) count += chunk.length
    observer.bytes(count)
    return chunks
  })
})

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
  const pull = yield* Stream.toPull(answer.body)
  const first = yield* Pull.catchDone(pull, () => Effect.succeed(undefined))
  const body =
    first === undefined ? Stream.empty : Stream.concat(Stream.fromArray(first), Stream.fromPull(Effect.succeed(pull)))
  const isDocument = first === undefined || /^\s*[{[]/.test(Buffer.concat(first).toString("latin1"))
  return isDocument ? decodeBody(protocol, { ...answer, body }) : decodeFrames(protocol)(body)
})

const collect = (answer: HttpAnswer, limit: number): Effect.Effect<string, LlmError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return Stream.runForEachArray(answer.body, (batch) => {
      for (const chunk of batch) {
        chunks.push(chunk)
        size += chunk.length
      }
      return size > limit
        ? failure(
            { _tag: "InvalidOutput", kind: "frameTooLarge" },
            `The provider's answer is larger than ${limit} bytes`
          )
        : Effect.void
    }).pipe(Effect.map(() => Buffer.concat(chunks).toString("utf8")))
  })

const errorAnswer = (protocol: Protocol, answer: HttpAnswer): Effect.Effect<never, LlmError> =>
  Effect.flatMap(
    // The status is the message; a body that breaks off does not change it.
    Effect.orElseSucceed(collect(answer, maxErrorBody), () => ""),
    (body) => protocol.decodeError({ status: answer.status, headers: answer.headers, body })
  )

const decodeBody = (protocol: Protocol, answer: HttpAnswer): Stream.Stream<Frame, LlmError> =>
  Stream.fromEffect(
    Effect.flatMap(collect(answer, maxWholeBody), (raw) => {
      const events: Array<LlmEvent> = []
      const error = decodeWhole(protocol, raw, events)
      return error ?? Effect.succeed<Frame>({ protocol: protocol.id, delivery: "whole", raw, events })
    })
  )

const decodeWhole = (protocol: Protocol, raw: string, events: Array<LlmEvent>): LlmError | undefined => {
  const body = parseJson(raw)
  return Result.isSuccess(body) ? protocol.decodeWhole(body.success, events) : body.failure
}

const parseJson = (text: string): Result.Result<unknown, LlmError> =>
  Result.try({
    try: (): unknown => JSON.parse(text),
    catch: () => failure({ _tag: "InvalidOutput", kind: "malformedFrame" }, "The provider's answer is not JSON")
  })
