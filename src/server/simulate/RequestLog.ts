import type { Schema } from "effect"

/** How a request ended, as the simulator saw it: `aborted` means that the client broke the connection. */
export type RequestState = "open" | "completed" | "reset" | "aborted"

/** A request as it was received, and what became of it. Times are epoch milliseconds. */
export interface LoggedRequest {
  readonly id: number
  readonly receivedAt: number
  readonly method: string
  readonly path: string
  /** as received, credentials replaced by `***` */
  readonly headers: { readonly [name: string]: string }
  /** the JSON document, or the text where it is none */
  body: Schema.Json
  model: string | undefined
  state: RequestState
  status: number | undefined
  sentBytes: number
  endedAt: number | undefined
}

const credentials = new Set([
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "cookie"
])

const keptRequests = 100

/** The last requests and the counts of how they ended. Mutable: one for each server. */
export class RequestLog {
  readonly connections = { open: 0, total: 0 }
  private readonly kept: Array<LoggedRequest> = []
  private counts = { total: 0, open: 0, completed: 0, reset: 0, aborted: 0 }
  private lastAbortedAt: number | undefined
  private sequence = 0

  /** A request came in. What is learnt of it later is written into the returned record. */
  open(request: Pick<LoggedRequest, "receivedAt" | "method" | "path" | "headers">): LoggedRequest {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, credentials.has(name) ? "***" : value])
    )
    const logged: LoggedRequest = {
      id: ++this.sequence,
      ...request,
      headers,
      body: null,
      model: undefined,
      state: "open",
      status: undefined,
      sentBytes: 0,
      endedAt: undefined
    }
    this.kept.push(logged)
    if (this.kept.length > keptRequests) this.kept.shift()
    this.counts.total++
    this.counts.open++
    return logged
  }

  /** The request ended; at most once for each. */
  close(request: LoggedRequest, state: Exclude<RequestState, "open">, now: number): void {
    if (request.state !== "open") return
    request.state = state
    request.endedAt = now
    this.counts.open--
    this.counts[state]++
    if (state === "aborted") this.lastAbortedAt = now
  }

  /** The last requests, oldest first. */
  requests(): ReadonlyArray<LoggedRequest> {
    return this.kept
  }

  stats() {
    return { requests: this.counts, connections: this.connections, lastAbortedAt: this.lastAbortedAt ?? null }
  }

  /** Forgets everything but the requests that are still open. */
  reset(): void {
    const open = this.kept.filter((request) => request.state === "open")
    this.kept.splice(0, this.kept.length, ...open)
    this.counts = { total: this.counts.open, open: this.counts.open, completed: 0, reset: 0, aborted: 0 }
    this.lastAbortedAt = undefined
  }
}
