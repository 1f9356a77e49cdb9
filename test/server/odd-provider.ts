import { Effect } from "effect"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { secrets } from "./running.ts"

const events = { "content-type": "text/event-stream" }

/** Answers that no provider means to give, which the simulator has not: what stands before a provider, or is none. */
const oddities: { readonly [path: string]: (response: ServerResponse) => void } = {
  empty: (response) => response.writeHead(200, events).end(),
  comments: (response) => response.writeHead(200, events).end(": a\n\n: b\n\n"),
  garbage: (response) => response.writeHead(200, events).end("data: {{{{\n\n"),
  gateway: (response) => response.writeHead(502, { "content-type": "text/html" }).end("<html>Bad gateway</html>"),
  welcome: (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>Welcome</html>"),
  redirect: (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
  key: (response) =>
    response
      .writeHead(401, { "content-type": "application/json" })
      .end(JSON.stringify({ error: { type: "authentication_error", message: `no such key: ${secrets.chat}` } })),
  reset: (response) => response.destroy()
}

/** The names of the oddities; `dead` is an address where nobody listens. */
export type Oddity = "empty" | "comments" | "garbage" | "gateway" | "welcome" | "redirect" | "key" | "reset" | "dead"

/** Serves each oddity under its name, and gives a provider for each in each protocol: `chat-empty`, `messages-dead`. */
export const oddProviders = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer((request, response) => {
      request.resume().on("end", () => oddities[request.url?.split("/")[1] ?? ""]?.(response))
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
