import { Cause, Context, Effect, Exit, Layer, type Scope, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { Agent, type Dispatcher } from "undici"
import { failure, type LlmError } from "../domain/LlmError.ts"

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
}

/** The head of an answer and its body as it comes; header names are lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: Stream.Stream<Uint8Array, LlmError>
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
      const agent = yield* Effect.acquireRelease(
        // Timeouts are the engine's: undici's own would cut long silences that a caller allows.
        Effect.sync(() => new Agent({ headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 60_000, pipelining: 1 })),
        (agent) => Effect.promise(() => agent.destroy())
      )
      return {
        send: Effect.fnUntraced(function* (request) {
          const exchange = new Exchange(request)
          yield* Effect.addFinalizer(() => Effect.sync(() => exchange.abort()))
          exchange.dispatch(agent)
          return yield* exchange.head
        })
      }
    })
  )
}

type Resume<A> = (effect: Effect.Effect<A, LlmError | Cause.Done>) => void

/**
 * One request and its answer. Undici calls the `on…` methods from its socket; the fiber that consumes the body pulls what
 * came since, in one batch. Callbacks only store and wake: nothing that can throw runs inside them.
 */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly request: HttpRequest
  private controller: Dispatcher.DispatchController | undefined
  private aborted = false
  private answer: Exit.Exit<HttpAnswer, LlmError> | undefined
  private waitingForHead: ((effect: Effect.Effect<HttpAnswer, LlmError>) => void) | undefined
  private buffered: Array<Uint8Array> = []
  private size = 0
  private end: Exit.Exit<never, LlmError | Cause.Done> | undefined
  private waitingForBody: Resume<NonEmptyReadonlyArray<Uint8Array>> | undefined

  constructor(request: HttpRequest) {
    this.request = request
  }

  dispatch(agent: Agent): void {
    const { url, method, headers, body } = this.request
    // Undici throws on what it cannot send (an invalid header), which is a failure like any other.
    try {
      agent.dispatch({ origin: url.origin, path: url.pathname + url.search, method, headers, body: body ?? null }, this)
    } catch (cause) {
      this.fail(transportError(cause))
    }
  }

  readonly head = Effect.callback<HttpAnswer, LlmError>((resume) => {
    if (this.answer !== undefined) return resume(this.answer)
    this.waitingForHead = resume
  })

  private readonly body = Stream.fromPull(
    Effect.succeed(
      Effect.callback<NonEmptyReadonlyArray<Uint8Array>, LlmError | Cause.Done>((resume) => {
        if (this.buffered.length > 0) return resume(this.takeBuffered())
        if (this.end !== undefined) return resume(this.end)
        this.waitingForBody = resume
        return Effect.sync(() => {
          this.waitingForBody = undefined
        })
      })
    )
  )

  abort(): void {
    if (this.end !== undefined) return
    this.aborted = true
    this.controller?.abort(new Error("the call was given up"))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
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
    this.answer = Exit.succeed({ status, headers: flat, body: this.body })
    this.waitingForHead?.(this.answer)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.buffered.push(chunk)
    this.size += chunk.length
    if (this.size > maxBuffered) controller.pause()
    this.wakeBody()
  }

  onResponseEnd(): void {
    this.end = Exit.fail(Cause.Done())
    this.wakeBody()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (!this.aborted) this.fail(transportError(error))
  }

  private fail(error: LlmError): void {
    this.end = Exit.fail(error)
    if (this.answer === undefined) {
      this.answer = this.end as Exit.Exit<never, LlmError>
      this.waitingForHead?.(this.answer)
    }
    this.wakeBody()
  }

  private takeBuffered(): Exit.Exit<NonEmptyReadonlyArray<Uint8Array>> {
    // Only called with something buffered.
    const chunks = this.buffered as unknown as NonEmptyReadonlyArray<Uint8Array>
    this.buffered = []
    if (this.size > maxBuffered) this.controller?.resume()
    this.size = 0
    return Exit.succeed(chunks)
  }

  private wakeBody(): void {
    const resume = this.waitingForBody
    if (resume === undefined) return
    this.waitingForBody = undefined
    resume(this.buffered.length > 0 ? this.takeBuffered() : this.end!)
  }
}

const causes: { readonly [code: string]: string } = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was reset",
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name could not be looked up",
  EHOSTUNREACH: "its host cannot be reached",
  ENETUNREACH: "its network cannot be reached",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_SOCKET: "the connection was closed"
}

const transportError = (cause: unknown): LlmError => {
  const code = codeOf(cause)
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return failure({ _tag: "Timeout", phase: "connect" }, "The provider could not be reached in time")
  }
  const why = causes[code] ?? (code === "" ? "the connection failed" : `the connection failed (${code})`)
  return failure({ _tag: "Transport" }, `The provider could not be reached: ${why}`)
}

const codeOf = (cause: unknown): string => {
  if (typeof cause !== "object" || cause === null) return ""
  if ("code" in cause && typeof cause.code === "string") return cause.code
  // Several addresses were tried: the errors of all of them stand in one.
  if (cause instanceof AggregateError) return codeOf(cause.errors[0])
  return "cause" in cause ? codeOf(cause.cause) : ""
}
