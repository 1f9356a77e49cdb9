import { Effect, type Scope } from "effect"
import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import type { AddressInfo } from "node:net"

/** What a service was asked. */
export interface Asked {
  /** the path, with its query */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** JSON, or nothing */
  readonly body: Body | undefined
}

/** The keys of a question, or of a message of JSON-RPC, that the tests look at. */
export interface Body {
  readonly [key: string]: unknown
  readonly id?: number
  readonly method?: string
  readonly phase?: string
  readonly window?: { readonly [key: string]: unknown; readonly text: string }
  readonly params?: { readonly arguments?: Body }
}

/** What it answers: a status and a text, or nothing at all. */
export type Answer =
  | {
      readonly status: number
      readonly body?: string
      readonly headers?: Record<string, string>
      /** how long it thinks */
      readonly afterMs?: number
    }
  | undefined

/** A service over HTTP, with what it was asked. */
export const service = (
  answer: (asked: Asked, count: number) => Answer
): Effect.Effect<{ readonly url: string; readonly asked: Array<Asked> }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const later = Effect.runForkWith(yield* Effect.context())
    const server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer((request, response) => {
          let text = ""
          request.on("data", (chunk: Buffer) => (text += chunk.toString()))
          request.on("end", () => {
            const { headers, url = "" } = request
            const one = { url, headers, body: text === "" ? undefined : (JSON.parse(text) as Body) }
            asked.push(one)
            const said = answer(one, asked.length)
            if (said === undefined) return
            const reply = () =>
              response.writeHead(said.status, { "content-type": "application/json", ...said.headers }).end(said.body)
            if (said.afterMs === undefined) reply()
            else later(Effect.delay(Effect.sync(reply), said.afterMs))
          })
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    // It listens on a port.
    const { port } = server.address() as AddressInfo
    return { url: `http://127.0.0.1:${port}/filter`, asked }
  })

/** An MCP server with one tool. `answer` is what the tool answers; every session lives for so many calls. */
export const mcpService = (
  answer: (asked: Body) => { readonly isError?: boolean; readonly text?: string; readonly structuredContent?: unknown },
  options: { readonly sse?: boolean; readonly callsPerSession?: number } = {}
) => {
  let session = 0
  let calls = 0
  let live = false
  return service(({ headers, body }) => {
    const reply = (result: unknown, more: Record<string, string> = {}): Answer => {
      const message = JSON.stringify({ jsonrpc: "2.0", id: body?.id, result })
      return options.sse === true
        ? {
            status: 200,
            body: `event: message\ndata: ${message}\n\n`,
            headers: { "content-type": "text/event-stream", ...more }
          }
        : { status: 200, body: message, headers: more }
    }
    if (body === undefined) return { status: 204 }
    if (body.method === "initialize") {
      session++
      calls = 0
      live = true
      return reply(
        { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "filter", version: "1" } },
        { "mcp-session-id": `session-${session}` }
      )
    }
    if (!live || headers["mcp-session-id"] !== `session-${session}`) return { status: 404, body: "" }
    if (body.id === undefined) return { status: 202 }
    if (body.method === "tools/list") return reply({ tools: [{ name: "check", inputSchema: { type: "object" } }] })
    if (++calls > (options.callsPerSession ?? Number.POSITIVE_INFINITY)) {
      live = false
      return { status: 404, body: "" }
    }
    const { isError, text, structuredContent } = answer(body.params?.arguments ?? {})
    return reply({
      content: text === undefined ? [] : [{ type: "text", text }],
      ...(isError === undefined ? {} : { isError }),
      ...(structuredContent === undefined ? {} : { structuredContent })
    })
  })
}
