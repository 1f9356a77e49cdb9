import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import type { LlmError } from "../domain/LlmError.ts"

/** Response headers as Node takes them. */
export type ResponseHeaders = { readonly [name: string]: string }

/**
 * Writes one answer to a caller's connection: the head late, with the first text, and never anything after the end. It
 * writes to Node's response directly, because the body of an answer is the hot path.
 */
export class ResponseWriter {
  private readonly response: ServerResponse
  private readonly headers: () => ResponseHeaders
  private readonly now: () => number
  /** when something was last handed to the transport, epoch milliseconds; before that, when the call began */
  lastWriteAt: number
  /** since when the caller takes nothing, epoch milliseconds */
  stalledSince: number | undefined
  bytes = 0
  private wasLeft = false
  private awaitsEnd = false
  private resumeStalled: ((waited: Effect.Effect<void, LlmError>) => void) | undefined

  constructor(response: ServerResponse, headers: () => ResponseHeaders, now: () => number) {
    this.response = response
    this.headers = headers
    this.now = now
    this.lastWriteAt = now()
  }

  /** Whether the head was sent: from then on a failure has no status of its own. */
  get begun(): boolean {
    return this.response.headersSent
  }

  /** Whether nothing more is written: it was ended, or nobody reads it. */
  get ended(): boolean {
    return this.wasLeft || this.response.writableEnded
  }

  /** Hands text over; suspends while the caller does not take what it has, until `giveUp`. */
  write(text: string): Effect.Effect<void, LlmError> {
    if (text === "" || this.ended) return Effect.void
    this.head()
    return this.response.write(text, this.count(text)) ? Effect.void : this.drained
  }

  /** Hands over the last text and ends the body. */
  end(text: string): void {
    if (this.ended) return
    this.head()
    this.response.end(text, this.count(text))
  }

  /** Says that the connection lives, unless it is the caller that takes nothing. */
  keepAlive(text: string): void {
    if (this.ended || this.awaitsEnd || this.stalledSince !== undefined) return
    this.head()
    this.response.write(text, this.count(text))
  }

  /** Nothing more is written but the end: its bytes are counted already. */
  awaitEnd(): void {
    this.awaitsEnd = true
  }

  /** Ends the wait for a caller that takes nothing, with a failure. */
  readonly giveUp = (error: LlmError): void => {
    this.resumeStalled?.(error)
  }

  /** The caller is gone, and what is written from here on is thrown away. */
  leave(): void {
    this.wasLeft = true
    this.resumeStalled?.(Effect.void)
  }

  /** Gives the connection up. */
  destroy(): void {
    this.response.destroy()
  }

  private head(): void {
    if (!this.begun) this.response.writeHead(200, this.headers())
  }

  /** Counts what is about to be written; says how: Node counts and copies what is plain ASCII faster as Latin-1. */
  private count(text: string): "utf8" | "latin1" {
    const bytes = Buffer.byteLength(text)
    this.bytes += bytes
    this.lastWriteAt = this.now()
    return bytes === text.length ? "latin1" : "utf8"
  }

  private readonly drained: Effect.Effect<void, LlmError> = Effect.callback<void, LlmError>((resume) => {
    // A broken connection needs no drain and gets none: what ends the call is on its way.
    if (!this.response.writableNeedDrain && !this.response.destroyed) return resume(Effect.void)
    this.stalledSince = this.now()
    const stop = () => {
      this.stalledSince = undefined
      this.resumeStalled = undefined
      this.response.off("drain", onDrain)
    }
    const onDrain = () => {
      stop()
      resume(Effect.void)
    }
    // A function of its own, as in `relayStream`: written at the property it would keep the call from being freed young.
    const onResumed: typeof this.resumeStalled = (waited) => {
      stop()
      resume(waited)
    }
    this.resumeStalled = onResumed
    this.response.once("drain", onDrain)
    return Effect.sync(stop)
  })
}
