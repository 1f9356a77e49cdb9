import { Effect } from "effect"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { gzipSync } from "node:zlib"
import { secrets } from "./running.ts"

const events = { "content-type": "text/event-stream" }

/** Answers that no provider means to give, which the simulator has not: what stands before a provider, or is none. */
const oddities: { readonly [path: string]: (response: ServerResponse, url: string) => void } = {
  empty: (response) => response.writeHead(200, events).end(),
  comments: (response) => response.writeHead(200, events).end(": a\n\n: b\n\n"),
  garbage: (response) => response.writeHead(200, events).end("data: {{{{\n\n"),
  gateway: (response) => response.writeHead(502, { "content-type": "text/html" }).end("<html>Bad gateway</html>"),
  welcome: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>"),
  compressed: (response, url) =>
    response.writeHead(200, { ...events, "content-encoding": "gzip" }).end(gzipSync(finished(url))),
  redirect: (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
  key: (response) =>
    response
      .writeHead(401, { "content-type": "application/json" })
      .end(JSON.stringify({ error: { type: "authentication_error", message: `no such key: ${secrets.chat}` } })),
  reset: (response) => response.destroy(),
  wordless: (response) =>
    response.writeHead(429, { "content-type": "application/json", "retry-after": "7" }).write('{"error":'),
  lost: (response) => response.writeHead(404, { "content-type": "text/html" }).end("<html>Not found</html>"),
  cut: (response, url) => response.writeHead(200, events).write(finished(url), () => response.destroy()),
  lingering: (response, url) => response.writeHead(200, events).write(finished(url))
}

/** An answer that says how it ends, without the terminator of its format. */
const finished = (url: string): string =>
  (url.endsWith("/messages")
    ? [
        {
          type: "message_start",
          message: { id: "m", type: "message", role: "assistant", model: "x", content: [], usage: {} }
        },
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "done" } },
        { type: "content_block_stop", index: 0 },
        { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }
      ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    : [
        { id: "c", choices: [{ index: 0, delta: { content: "done" } }] },
        { id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }
      ].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
  ).join("")

/** The names of the oddities; `dead` is an address where nobody listens. */
export type Oddity =
  | "empty"
  | "comments"
  | "garbage"
  | "gateway"
  | "welcome"
  | "compressed"
  | "redirect"
  | "key"
  | "reset"
  | "dead"
  | "lost"
  | "cut"
  | "lingering"
  | "wordless"

/** Serves each oddity under its name, and gives a provider for each in each protocol: `chat-empty`, `messages-dead`. */
export const oddProviders = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer((request, response) => {
      request.resume().on("end", () => oddities[request.url?.split("/")[1] ?? ""]?.(response, request.url ?? ""))
    })
    const close = () => server.close().closeAllConnections()
    server.listen(0, "127.0.0.1", () =>
      // It listens on a port, not on a path.
      resume(Effect.succeed({ port: (server.address() as AddressInfo).port, close }))
    )
  }),
  ({ close }) => Effect.sync(close)
).pipe(
  Effect.map(({ port }) =>
    Object.fromEntries(
      [...Object.keys(oddities), "dead"].flatMap((name) => {
        const baseUrl = name === "dead" ? "http://127.0.0.1:1" : `http://127.0.0.1:${port}/${name}`
        const of = (protocol: string) => ({ protocol, baseUrl, apiKey: secrets.chat })
        return [
          [`chat-${name}`, of("openai-chat")],
          [`messages-${name}`, of("anthropic-messages")]
        ]
      })
    )
  )
)
