import { Effect, type Scope } from "effect"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { connect } from "node:net"
import { Running, until, userMessage } from "./running.ts"

/** A request whose answer is still coming. */
export interface Exchange {
  /** once its head came */
  readonly response: () => IncomingMessage | undefined
  /** what came so far */
  readonly text: () => string
  readonly ended: () => "end" | "broken" | undefined
  /** breaks the connection */
  readonly leave: () => void
}

/** The two APIs' requests, for clients that do more than ask and wait. */
export const requests = {
  chat: (model: string, stream = true, content = userMessage.content) => ({
    path: "/v1/chat/completions",
    body: JSON.stringify({ model, stream, max_completion_tokens: 1_000_000, messages: [{ role: "user", content }] })
  }),
  messages: (model: string, stream = true, content = userMessage.content) => ({
    path: "/v1/messages",
    body: JSON.stringify({ model, stream, max_tokens: 1_000_000, messages: [{ role: "user", content }] })
  })
}
export type Asking = keyof typeof requests

/** Begins a request and gives it back at once; the connection is broken with the scope, if not before. */
export const begin = (
  asking: Asking,
  model: string,
  stream = true,
  headers: { readonly [name: string]: string } = {}
): Effect.Effect<Exchange, never, Running | Scope.Scope> => {
  const { body, path } = requests[asking](model, stream)
  return beginAt(path, body, headers)
}

/** As `begin`, for a path and what is sent to it. */
export const beginAt = Effect.fnUntraced(function* (
  path: string,
  body: string,
  headers: { readonly [name: string]: string } = {}
): Effect.fn.Return<Exchange, never, Running | Scope.Scope> {
  const { url } = yield* Running
  let response: IncomingMessage | undefined
  let text = ""
  let ended: ReturnType<Exchange["ended"]>
  const request = httpRequest(`${url}${path}`, {
    agent: false,
    method: "POST",
    headers: { "content-type": "application/json", ...headers }
  })
  request.on("error", () => (ended ??= "broken"))
  request.on("response", (incoming) => {
    response = incoming
    incoming.setEncoding("utf8").on("data", (data: string) => (text += data))
    incoming.on("end", () => (ended ??= "end"))
    incoming.on("error", () => (ended ??= "broken"))
  })
  request.end(body)
  const leave = () => void request.destroy()
  yield* Effect.addFinalizer(() => Effect.sync(leave))
  return { response: () => response, text: () => text, ended: () => ended, leave }
})

/** Waits until something is so that costs nothing to look at. */
export const untilTrue = (holds: () => boolean): Effect.Effect<boolean> => until(Effect.sync(holds), (held) => held)

/** Waits for the end of an answer. */
export const finished = Effect.fnUntraced(function* (exchange: Exchange) {
  yield* untilTrue(() => exchange.ended() !== undefined)
  const { headers = {}, statusCode: status = 0 } = exchange.response() ?? {}
  const text = exchange.text()
  return { status, headers, text, body: Buffer.from(text), ending: exchange.ended() ?? "broken" }
})

/** Sends a request and reads nothing of the answer, until the scope closes or the connection is left. */
export const neverRead = Effect.fnUntraced(function* (asking: Asking, model: string, content?: string) {
  const { port } = yield* Running
  const { body, path } = requests[asking](model, true, content)
  const socket = connect(port, "127.0.0.1").on("error", () => {})
  let closed = false
  socket.on("close", () => (closed = true))
  socket.on("connect", () => socket.pause())
  // Nobody listens for data, so nothing is read but what the kernel takes.
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  )
  const leave = () => void socket.destroy()
  yield* Effect.addFinalizer(() => Effect.sync(leave))
  return { leave, closed: () => closed }
})
