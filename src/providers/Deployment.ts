import { Cause, Context, Effect, Exit, Redacted, Result, Stream } from "effect"
import type { LlmError } from "../domain/LlmError.ts"
import { unmetRequirement } from "../domain/requirements.ts"
import type { Delivery } from "../domain/LlmRequest.ts"
import type { EncodeContext, EncodedRequest, Protocol, Quirks } from "../protocols/Protocol.ts"
import { sealedFor } from "../protocols/SealedRequest.ts"
import { renamed } from "../protocols/ToolNames.ts"
import { rewritten, type Written } from "../protocols/written-fields.ts"
import { refusalPatience } from "../routing/Timeouts.ts"
import type { Feed, FrameSink, Upstream, UpstreamRequest } from "../routing/Upstream.ts"
import { AnswerFeed } from "./AnswerFeed.ts"
import { misleading, unsendable } from "./misleading.ts"
import { naming } from "./naming.ts"
import { deliveryBy, quirksFor, type PeculiarModels } from "./peculiar.ts"
import { questionsTo, type Ask } from "./questions.ts"
import { HttpTransport, type HttpAnswer, type HttpRequest } from "./HttpTransport.ts"
import { streamOf } from "./streamOf.ts"
import { withHeaders } from "./withHeaders.ts"

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
 * callers is in `secrets`. `refused` is told the headers of a request whose sender was not accepted.
 */
export interface Signer {
  readonly sign: (request: UnsignedRequest) => Effect.Effect<{ readonly [header: string]: string }, LlmError>
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  readonly refused?: (headers: HttpRequest["headers"]) => void
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
  /** what a protocol's path is appended to, without a slash at its end; a version that both have stands there once */
  readonly baseUrl: string
  readonly auth: Auth
  readonly apiKey: Redacted.Redacted | undefined
  readonly signer?: Signer
  /** where its paths are not those of the protocol's own servers */
  readonly route?: Route
  readonly headers: { readonly [name: string]: string }
  readonly quirks: Quirks
  /** what holds for some of its models besides */
  readonly peculiar?: PeculiarModels
  /** whether its models go on with the beginning of an answer, where that is not as the protocol has it */
  readonly continues?: boolean
}

const maxErrorBody = 1024 * 1024

/** The upstream of a deployment: encodes, sends, and decodes what comes back into frames. */
export const deploymentUpstream = (deployment: Deployment): Effect.Effect<Upstream["Service"], never, HttpTransport> =>
  Effect.contextWith((context: Context.Context<HttpTransport>) => {
    const transport = Context.get(context, HttpTransport)
    const { signer } = deployment
    const requestOf = requestsTo(deployment)
    const named = naming(deployment)
    const told = (error: LlmError, { headers }: UnsignedRequest): LlmError => {
      if (error.reason._tag === "Unauthorized") signer?.refused?.(headers)
      return error
    }
    const log = Effect.runForkWith(context)
    const broke = (cause: Cause.Cause<LlmError>) =>
      log(Effect.logError(`Upstream ${deployment.provider} failed unexpectedly`, cause))

    const sendTo = (request: UpstreamRequest, { protocol, sent }: Prepared, sink: FrameSink): Feed => {
      const feed = new AnswerFeed(protocol, request, {
        accept: (batch) => sink.accept(batch),
        end: (exit) => {
          if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) broke(exit.cause)
          sink.end(Exit.mapError(exit, (error) => named(told(error, sent))))
        }
      })
      feed.exchange = transport.dispatch(sent, feed)
      return feed
    }
    const feed = (request: UpstreamRequest, sink: FrameSink): Feed => {
      const prepared = prepare(deployment, requestOf, request)
      if (!isLlmError(prepared)) return sendTo(request, prepared, sink)
      sink.end(Exit.fail(named(prepared)))
      return nothingFed
    }
    const stream = (request: UpstreamRequest) =>
      signer === undefined
        ? streamOf((sink) => feed(request, sink))
        : Stream.unwrap(
            Effect.suspend(() => {
              const prepared = prepare(deployment, requestOf, request)
              if (isLlmError(prepared)) return prepared
              return Effect.map(signed(signer, prepared.sent), (sent) =>
                streamOf((sink) => sendTo(request, { ...prepared, sent }, sink))
              )
            }).pipe(Effect.mapError(named))
          )

    const ask: Ask = (protocol, encoded, limit, observer) =>
      Effect.suspend(() => {
        const request = requestOf(encoded, "whole")
        if (isLlmError(request)) return request
        return signer === undefined ? Effect.succeed(request) : signed(signer, request)
      }).pipe(
        Effect.flatMap((request) =>
          transport.send({ ...request, onConnected: observer?.connected ?? ignore }).pipe(
            Effect.tap(({ status }) => Effect.sync(() => observer?.head(status))),
            Effect.flatMap((answer) => (answer.status >= 300 ? errorAnswer(protocol, answer) : answer.text(limit))),
            Effect.mapError((error) => told(error, request))
          )
        ),
        Effect.scoped
      )
    return Effect.succeed({
      stream,
      // A signature may have to be waited for.
      ...(signer === undefined ? { feed } : {}),
      continues: (model) => deployment.continues ?? everyContinues(deployment, model),
      ...questionsTo(deployment, ask, named)
    })
  })

/** A request that is ready to be sent, but for a signature. */
interface Prepared {
  readonly protocol: Protocol
  readonly sent: UnsignedRequest
}

type RequestOf = (encoded: RoutedRequest, delivery: Delivery, written?: Written) => UnsignedRequest | LlmError

/** Requests as they are sent to a deployment, or why they are not. What is the same in all of them is made once. */
const requestsTo = (deployment: Deployment): RequestOf => {
  const { apiKey, auth, baseUrl, route = asEncoded } = deployment
  const own = { ...deployment.headers, ...(apiKey === undefined ? {} : auth(Redacted.value(apiKey))) }
  // Most requests go where the last one went.
  let last: { readonly path: string; readonly url: URL | LlmError } | undefined
  return (unrouted, delivery, written) => {
    const { body, headers, path } = route(unrouted)
    if (last?.path !== path) last = { path, url: misleading(path) ?? urlOf(baseUrl, path) }
    const { url } = last
    if (isLlmError(url)) return url
    return {
      method: body === undefined ? "GET" : "POST",
      url,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        accept: delivery === "stream" ? "text/event-stream" : "application/json",
        // Nothing here unpacks.
        "accept-encoding": "identity",
        ...headers,
        ...own
      },
      body: body === undefined ? "" : written === undefined ? JSON.stringify(body) : rewritten(body, written)
    }
  }
}

/**
 * Where a path is. Users give addresses with the version of an API and without it, and those who speak several APIs have
 * one address, which some of them put the version after and others do not: it is not put there twice.
 */
const urlOf = (baseUrl: string, path: string): URL => {
  const version = /^\/v\d+(beta)?(?=\/)/.exec(path)?.[0]
  return new URL(
    version !== undefined && baseUrl.endsWith(version) ? baseUrl + path.slice(version.length) : baseUrl + path
  )
}

const prepare = (deployment: Deployment, requestOf: RequestOf, request: UpstreamRequest): Prepared | LlmError => {
  const protocol = protocolFor(deployment, request.dialect)
  const unmet = unsendable(request.model) ?? unmetRequirement(request.request, protocol.id)
  if (unmet !== undefined) return unmet
  const sealed = deployment.quirks.takesSeals === true ? sealedFor(protocol.id, request.request) : request.request
  // Who asks in the provider's own format has names for it, and is sent its frames as they are.
  const others = isSpokenBy(request.dialect, protocol) ? undefined : renamed(sealed, protocol)
  const quirks = quirksFor(request.model, deployment)
  const delivery = deliveryBy(quirks, request.delivery, request.request)
  const context = encodeContext(protocol, request, delivery, quirks)
  const encoded = protocol.encode(others?.request ?? sealed, context)
  if (Result.isFailure(encoded)) return encoded.failure
  for (const notice of [...(others?.notices ?? []), ...encoded.success.notices]) request.observer.notice(notice)
  const { headers } = request.request
  const sent = headers === undefined ? encoded.success : withHeaders(encoded.success, headers)
  const ready = requestOf(sent, delivery, context.origin)
  return isLlmError(ready) ? ready : { protocol: others?.protocol ?? protocol, sent: ready }
}

const isSpokenBy = (dialect: string | undefined, { id, speaks }: Protocol): boolean =>
  dialect !== undefined && (dialect === id || dialect === speaks)

const isLlmError = (value: object): value is LlmError => "_tag" in value

const nothingFed: Feed = { resume: () => {}, conclude: () => {}, stop: () => {} }

const signed = ({ sign }: Signer, request: UnsignedRequest): Effect.Effect<UnsignedRequest, LlmError> =>
  Effect.map(sign(request), (headers) => ({ ...request, headers: { ...request.headers, ...headers } }))

const asEncoded: Route = (encoded) => encoded

const ignore = () => {}

const protocolFor = ({ protocols }: Deployment, dialect: string | undefined): Protocol =>
  protocols.find((protocol) => protocol.id === dialect) ?? protocols[0]

/** A call may be sent in any of the protocols. */
const everyContinues = ({ protocols }: Deployment, model: string): boolean | undefined => {
  const each = protocols.map(({ continues }) => (continues === undefined ? false : continues(model)))
  return each.includes(false) ? false : each.includes(undefined) ? undefined : true
}

const encodeContext = (
  protocol: Protocol,
  request: Pick<UpstreamRequest, "model" | "origin">,
  delivery: Delivery,
  quirks: Quirks
): EncodeContext => ({
  model: request.model,
  delivery,
  quirks,
  origin: request.origin?.protocol === protocol.id ? request.origin : undefined
})

const errorAnswer = (protocol: Protocol, answer: HttpAnswer): Effect.Effect<never, LlmError> =>
  Effect.flatMap(
    // The status is the message; a body that breaks off, or does not come, does not change it.
    answer.text(maxErrorBody).pipe(
      Effect.timeout(refusalPatience),
      Effect.orElseSucceed(() => "")
    ),
    (body) => protocol.decodeError({ status: answer.status, headers: answer.headers, body })
  )
