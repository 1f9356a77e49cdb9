import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Schedule } from "effect"
import { request as httpRequest, type IncomingHttpHeaders } from "node:http"
import { connect } from "node:net"
import { simulateServer, type SimulateOptions } from "../../../src/server/simulate/SimulateServer.ts"

/** A simulator on a free port for as long as the scope is open. */
export const startSimulator = (options: Omit<SimulateOptions, "port"> = {}) =>
  Effect.provide(simulateServer({ port: 0, ...options }), NodeServices.layer)

/** A folder with these files, for as long as the scope is open. */
export const folderOf = (files: { readonly [path: string]: string | Buffer }) =>
  Effect.gen(function* () {
    const system = yield* FileSystem.FileSystem
    const folder = yield* system.makeTempDirectoryScoped({ prefix: "millrace-simulate-" })
    for (const [path, content] of Object.entries(files)) {
      const parent = path.split("/").slice(0, -1).join("/")
      if (parent !== "") yield* system.makeDirectory(`${folder}/${parent}`, { recursive: true })
      yield* system.writeFile(`${folder}/${path}`, Buffer.from(content))
    }
    return folder
  }).pipe(Effect.provide(NodeServices.layer))

/** What a client saw: `ending` is how the body ended, as node:http tells it. */
export interface Seen {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  readonly ending: "end" | "broken"
}

export interface Ask {
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  /** a text or bytes as they are, anything else as JSON */
  readonly body?: unknown
  /** sees the body as it grows; to return true is to have seen enough and to break the connection */
  readonly enough?: (text: string) => boolean
}

/** Fails where the connection broke before the head came. */
export const ask = (
  url: string,
  { body, enough, headers = {}, method = body === undefined ? "GET" : "POST" }: Ask = {}
) =>
  Effect.callback<Seen, Error>((resume) => {
    const request = httpRequest(url, {
      agent: false,
      method,
      headers: { "content-type": "application/json", ...headers }
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.on("response", (response) => {
      const chunks: Array<Buffer> = []
      const seen = (ending: Seen["ending"]) => {
        const whole = Buffer.concat(chunks)
        const { headers, statusCode: status = 0 } = response
        resume(Effect.succeed({ status, headers, body: whole, text: whole.toString(), ending }))
      }
      const look = () => {
        if (enough?.(Buffer.concat(chunks).toString()) !== true) return
        seen("broken")
        request.destroy()
      }
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk)
        look()
      })
      response.on("end", () => seen("end"))
      response.on("error", () => seen("broken"))
      look()
    })
    // As bytes: Node writes headers in the encoding of a text that comes with them.
    if (body === undefined || Buffer.isBuffer(body)) request.end(body)
    else request.end(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)))
    return Effect.sync(() => request.destroy())
  })

export const json = (seen: Seen) => JSON.parse(seen.text)

const message = { role: "user", content: "Say it back, please." }

export const askChat = (url: string, model: string, more: object = {}, rest: Omit<Ask, "body"> = {}) =>
  ask(`${url}/v1/chat/completions`, { ...rest, body: { model, stream: true, messages: [message], ...more } })

export const askMessages = (url: string, model: string, more: object = {}, rest: Omit<Ask, "body"> = {}) =>
  ask(`${url}/v1/messages`, {
    ...rest,
    headers: { "anthropic-version": "2023-06-01", ...rest.headers },
    body: { model, stream: true, max_tokens: 1000, messages: [message], ...more }
  })

/** The writes of a chunked answer, read from the bare connection: the size of every chunk of the transfer encoding. */
export const askRaw = (port: number, model: string) =>
  Effect.callback<{ readonly sizes: ReadonlyArray<number>; readonly body: Buffer }, Error>((resume) => {
    const body = JSON.stringify({ model, stream: true, messages: [message] })
    const socket = connect(port, "127.0.0.1")
    const received: Array<Buffer> = []
    socket.on("error", (error) => resume(Effect.fail(error)))
    socket.on("data", (data) => received.push(data))
    socket.on("end", () => resume(Effect.sync(() => dechunk(Buffer.concat(received)))))
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    )
    return Effect.sync(() => socket.destroy())
  })

const dechunk = (answer: Buffer) => {
  const sizes: Array<number> = []
  const parts: Array<Buffer> = []
  let at = answer.indexOf("\r\n\r\n") + 4
  for (;;) {
    const lineEnd = answer.indexOf("\r\n", at)
    const size = Number.parseInt(answer.toString("latin1", at, lineEnd), 16)
    if (size === 0) return { sizes, body: Buffer.concat(parts) }
    sizes.push(size)
    parts.push(answer.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}

/** Waits until a server's counts are as expected; a test that waits in vain ends at its time limit. */
export const waitUntil = (holds: () => boolean) =>
  Effect.repeat(Effect.sync(holds), { until: (held) => held, schedule: Schedule.spaced("2 millis") })
