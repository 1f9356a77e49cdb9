import { Cause, Context, Effect, Exit, Layer, Scope, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { Pull } from "effect/Pull"
import { Socket } from "node:net"
import { Agent, buildConnector, type Dispatcher } from "undici"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { transportError } from "./transport-error.ts"

/** What is read ahead of whoever consumes the body, in bytes; beyond it the provider's socket is no longer read. */
const maxBuffered = 64 * 1024

/** A request to a provider. `url` is absolute. */
export interface HttpRequest {
  readonly method: "GET" | "POST"
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  readonly body?: string
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
  /**
   * The text of a whole body, of which `begun` was pulled before. Fails where it is larger than `limit` bytes, without
   * reading on.
   */
  readonly text: (limit: number, begun?: ReadonlyArray<Buffer>) => Effect.Effect<string, LlmError>
}

/**
 * HTTP to providers, at the level of undici's `dispatch`: no response object, no reader, no promise per chunk. The
 * connection belongs to the scope of `send`: closing it aborts the request at once, in whatever phase it is.
 */
export class HttpTransport extends Context.Service<
  HttpTransport,
  { readonly send: (request: HttpRequest) => Effect.Effect<HttpAnswer, LlmError, Scope.Scope> }
>()("millrace/providers/HttpTransport") {
  static readonly layer: Layer.Layer<HttpTransport> = Layer.effect(
    HttpTransport,
    Effect.gen(function* () {
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Client()),
        (client) => Effect.promise(() => client.agent.destroy())
      )
      return {
        send: (request) =>
          Effect.flatMap(Effect.scope, (scope) => {
            const exchange = new Exchange(request)
            return Effect.flatMap(Scope.addFinalizer(scope, exchange.givenUp), () => {
              client.dispatch(exchange)
              return exchange.head
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
  private dispatching: Exchange | undefined
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

  dispatch(exchange: Exchange): void {
    const { url, method, headers, body } = exchange.request
    this.dispatching = exchange
    // What undici cannot send (an invalid header) it says to the handler: it does not throw.
    this.agent.dispatch(
      { origin: url.origin, path: url.pathname + url.search, method, headers, body: body ?? null },
      exchange
    )
    this.dispatching = undefined
  }
}

const done = Exit.fail(Cause.Done())

const answerTooLarge = (limit: number): LlmError =>
  failure({ _tag: "InvalidOutput", kind: "frameTooLarge" }, `The provider's answer is larger than ${limit} bytes`)

type Resume<A> = (effect: Effect.Effect<A, LlmError | Cause.Done>) => void

/**
 * One request and its answer. Undici calls the `on…` methods from its socket; the fiber that consumes the body pulls what
 * came since, in one batch. Callbacks only store and wake: nothing that can throw runs inside them.
 */
class Exchange implements Dispatcher.DispatchHandler, HttpAnswer {
  readonly request: HttpRequest
  /** the socket that this request waits for, until it is sent */
  connecting: Socket | undefined
  private controller: Dispatcher.DispatchController | undefined
  private aborted = false
  private paused = false
  status = 0
  headers: HttpAnswer["headers"] = {}
  private answer: Exit.Exit<HttpAnswer, LlmError> | undefined
  private waitingForHead: ((effect: Effect.Effect<HttpAnswer, LlmError>) => void) | undefined
  private buffered: Array<Buffer> = []
  private size = 0
  private end: Exit.Exit<never, LlmError | Cause.Done> | undefined
  private failed: Exit.Exit<never, LlmError> | undefined
  private waitingForBody: Resume<NonEmptyReadonlyArray<Buffer>> | undefined
  /** set where the body is read as a whole: then nobody is woken before its end, or before it is too large */
  private waitingForText: ((effect: Effect.Effect<string, LlmError>) => void) | undefined
  private textLimit = 0

  constructor(request: HttpRequest) {
    this.request = request
  }

  readonly head = Effect.callback<HttpAnswer, LlmError>((resume) => {
    if (this.answer !== undefined) return resume(this.answer)
    this.waitingForHead = resume
  })

  readonly pull: HttpAnswer["pull"] = Effect.callback((resume) => {
    if (this.buffered.length > 0) return resume(this.takeBuffered())
    if (this.end !== undefined) return resume(this.end)
    this.waitingForBody = resume
    return Effect.sync(() => {
      this.waitingForBody = undefined
    })
  })

  get body(): HttpAnswer["body"] {
    return Stream.fromPull(Effect.succeed(this.pull))
  }

  text(limit: number, begun: ReadonlyArray<Buffer> = []): Effect.Effect<string, LlmError> {
    return Effect.callback((resume) => {
      this.buffered.unshift(...begun)
      for (const chunk of begun) this.size += chunk.length
      this.textLimit = limit
      this.waitingForText = resume
      this.resumeReading()
      this.wakeText()
    })
  }

  readonly givenUp = Effect.sync(() => this.abort())

  abort(): void {
    if (this.end !== undefined) return
    this.aborted = true
    if (this.controller === undefined) this.connecting?.destroy(new Error("the call was given up"))
    else this.controller.abort(new Error("the call was given up"))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    this.connecting = undefined
    if (this.aborted) return controller.abort(new Error("the call was given up"))
    this.request.onConnected()
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | Array<string> | undefined>
  ): void {
    if (status < 200) return
    const flat: Record<string, string> = {}
    for (const name in headers) {
      const value = headers[name]
      if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ")
    }
    this.status = status
    this.headers = flat
    this.answer = Exit.succeed(this)
    this.waitingForHead?.(this.answer)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.buffered.push(chunk)
    this.size += chunk.length
    this.request.onBytes?.(chunk.length)
    if (this.waitingForText !== undefined) return this.wakeText()
    this.wakeBody()
    if (this.size > maxBuffered) {
      this.paused = true
      controller.pause()
    }
  }

  onResponseEnd(): void {
    this.end = done
    if (this.waitingForText !== undefined) this.wakeText()
    else this.wakeBody()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (!this.aborted) this.fail(transportError(error, this.answer === undefined))
  }

  private fail(error: LlmError): void {
    const end = Exit.fail(error)
    this.end = end
    this.failed = end
    if (this.answer === undefined) {
      this.answer = end
      this.waitingForHead?.(end)
    }
    if (this.waitingForText !== undefined) this.wakeText()
    else this.wakeBody()
  }

  private takeBuffered(): Exit.Exit<NonEmptyReadonlyArray<Buffer>> {
    // Only called with something buffered.
    const chunks = this.buffered as unknown as NonEmptyReadonlyArray<Buffer>
    this.buffered = []
    this.size = 0
    this.resumeReading()
    return Exit.succeed(chunks)
  }

  private resumeReading(): void {
    if (!this.paused) return
    this.paused = false
    // Resuming parses at once what the socket holds. The fiber that consumes may run inside the parser of another
    // connection, which cannot be entered twice.
    queueMicrotask(() => this.controller?.resume())
  }

  /** Hands the body over once it is complete, too large, or broken off. */
  private wakeText(): void {
    const resume = this.waitingForText
    const tooLarge = this.size > this.textLimit
    if (resume === undefined || (this.end === undefined && !tooLarge)) return
    this.waitingForText = undefined
    if (tooLarge) return resume(answerTooLarge(this.textLimit))
    if (this.failed !== undefined) return resume(this.failed)
    const [only] = this.buffered
    const whole = this.buffered.length === 1 && only !== undefined ? only : Buffer.concat(this.buffered)
    this.buffered = []
    this.size = 0
    resume(Exit.succeed(whole.toString("utf8")))
  }

  private wakeBody(): void {
    const resume = this.waitingForBody
    if (resume === undefined) return
    this.waitingForBody = undefined
    resume(this.buffered.length > 0 ? this.takeBuffered() : this.end!)
  }
}
