import { Context, Effect, Layer, Scope, type Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Pull } from "effect/Pull"
import { Socket } from "node:net"
import { Agent, buildConnector, type Dispatcher } from "undici"
import type { LlmError } from "../domain/LlmError.ts"
import { PulledAnswer } from "./PulledAnswer.ts"
import { transportError } from "./transport-error.ts"

/** A request as it is sent. `url` is absolute. */
export interface SentRequest {
  readonly method: "GET" | "POST"
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  readonly body?: string
}

/** A request to a provider, and what is told of it before its answer is read. */
export interface HttpRequest extends SentRequest {
  /** the connection stands and the request is being sent */
  readonly onConnected: () => void
  /** so many bytes of the answer's body came; told before anybody reads them */
  readonly onBytes?: (count: number) => void
}

/** The head of an answer and its body, which is read once, in one of three ways; header names are lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** what came since the last time, in one batch */
  readonly pull: Pull<NonEmptyReadonlyArray<Buffer>, LlmError>
  readonly body: Stream.Stream<Uint8Array, LlmError>
  /** The text of a whole body. Fails where it is larger than `limit` bytes, without reading on. */
  readonly text: (limit: number) => Effect.Effect<string, LlmError>
}

/** Is told of an answer while it comes, from the connection's own callbacks: nothing here may throw. */
export interface AnswerListener {
  /** the connection stands and the request is being sent */
  readonly connected: () => void
  /** header names are lower case */
  readonly head: (status: number, headers: HttpAnswer["headers"]) => void
  readonly data: (chunk: Buffer) => void
  readonly end: () => void
  /** the connection could not be made, or broke; the last thing that is told */
  readonly failed: (error: LlmError) => void
}

/** A request on its way. */
export interface Exchange {
  /** reads no more of the answer, for now */
  readonly pause: () => void
  readonly resume: () => void
  /** Closes the connection at once, in whatever phase it is, unless the answer has come to its end. Nothing more is told. */
  readonly abort: () => void
}

/** HTTP to providers, at the level of undici's `dispatch`: no response object, no reader, no promise per chunk. */
export class HttpTransport extends Context.Service<
  HttpTransport,
  {
    /** Sends, and tells `listener` what comes of it. Whoever dispatches aborts what nobody wants any more. */
    readonly dispatch: (request: SentRequest, listener: AnswerListener) => Exchange
    /** Sends, and waits for the head of the answer. The connection belongs to the scope: closing it aborts the request. */
    readonly send: (request: HttpRequest) => Effect.Effect<HttpAnswer, LlmError, Scope.Scope>
  }
>()("millrace/providers/HttpTransport") {
  static readonly layer: Layer.Layer<HttpTransport> = Layer.effect(
    HttpTransport,
    Effect.gen(function* () {
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Client()),
        (client) => Effect.promise(() => client.agent.destroy())
      )
      return {
        dispatch: (request, listener) => client.dispatch(request, listener),
        send: (request) =>
          Effect.flatMap(Effect.scope, (scope) => {
            const answer = new PulledAnswer(request)
            return Effect.flatMap(Scope.addFinalizer(scope, answer.givenUp), () => {
              answer.exchange = client.dispatch(request, answer)
              return answer.begun
            })
          })
      }
    })
  )
}

/**
 * The connections. Every request has one for itself as long as it lasts (no HTTP/2): a caller that stalls holds up nobody,
 * and giving a request up is closing its socket.
 *
 * Undici cannot give up a request whose connection is still being made. A dispatch that needs a new connection begins it
 * before it returns, so that the connector can tell the request which socket that is.
 */
class Client {
  private dispatching: Dispatched | undefined
  readonly agent: Agent

  constructor() {
    // Timeouts are the engine's: undici's own would cut long silences that a caller allows.
    const connect = buildConnector({ allowH2: false, timeout: 0 })
    this.agent = new Agent({
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 60_000,
      pipelining: 1,
      allowH2: false,
      connect: (options, callback) => {
        // The connector returns its socket; its types do not say so.
        const socket: unknown = connect(options, callback)
        if (this.dispatching !== undefined && socket instanceof Socket) this.dispatching.connecting = socket
      }
    })
  }

  dispatch(request: SentRequest, listener: AnswerListener): Exchange {
    const { url, method, headers, body } = request
    const exchange = new Dispatched(listener)
    this.dispatching = exchange
    // What undici cannot send (an invalid header) it says to the handler: it does not throw.
    this.agent.dispatch(
      { origin: url.origin, path: url.pathname + url.search, method, headers, body: body ?? null },
      exchange
    )
    this.dispatching = undefined
    return exchange
  }
}

const givenUp = () => new Error("the call was given up")

/** One request and its answer, between undici, which calls the `on…` methods from its socket, and who listens. */
class Dispatched implements Dispatcher.DispatchHandler, Exchange {
  private readonly listener: AnswerListener
  /** the socket that this request waits for, until it is sent */
  connecting: Socket | undefined
  private controller: Dispatcher.DispatchController | undefined
  private aborted = false
  private paused = false
  private answered = false
  private ended = false

  constructor(listener: AnswerListener) {
    this.listener = listener
  }

  pause(): void {
    if (this.paused) return
    this.paused = true
    this.controller?.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    // Resuming parses at once what the socket holds. Who resumes may be a fiber that runs inside the parser of another
    // connection, which cannot be entered twice.
    queueMicrotask(() => {
      if (!this.paused) this.controller?.resume()
    })
  }

  abort(): void {
    if (this.ended || this.aborted) return
    this.aborted = true
    if (this.controller === undefined) this.connecting?.destroy(givenUp())
    else this.controller.abort(givenUp())
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    this.connecting = undefined
    if (this.aborted) return controller.abort(givenUp())
    this.listener.connected()
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | Array<string> | undefined>
  ): void {
    if (status < 200) return
    this.answered = true
    this.listener.head(status, flat(headers))
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.aborted) this.listener.data(chunk)
  }

  onResponseEnd(): void {
    this.ended = true
    if (!this.aborted) this.listener.end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.ended = true
    if (!this.aborted) this.listener.failed(transportError(error, !this.answered))
  }
}

/** Nearly every header has one value, and most answers no other ones. */
const flat = (headers: Record<string, string | Array<string> | undefined>): HttpAnswer["headers"] => {
  for (const name in headers) if (typeof headers[name] !== "string") return joined(headers)
  // Every value is a string.
  return headers as HttpAnswer["headers"]
}

const joined = (headers: Record<string, string | Array<string> | undefined>): HttpAnswer["headers"] => {
  const flat: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ")
  }
  return flat
}
