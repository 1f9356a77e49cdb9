import { Effect, type Scope } from "effect"
import type { IncomingHttpHeaders, ServerResponse } from "node:http"
import { httpServer } from "../providers/servers.ts"

/** A request as a provider received it. `path` has the query. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown> | undefined
  /** the body to the letter */
  readonly text: string
}

export type Answering = (response: ServerResponse, received: Received) => void

/** Answers with a document, or with exactly this text. */
export const answering =
  (document: unknown, status = 200): Answering =>
  (response) =>
    response
      .writeHead(status, { "content-type": "application/json" })
      .end(typeof document === "string" ? document : JSON.stringify(document))

/** A provider on a port of its own, which answers each path (without its query) as it is told. */
export const scriptedProvider = (paths: {
  readonly [path: string]: Answering
}): Effect.Effect<{ readonly url: string; readonly received: Array<Received> }, never, Scope.Scope> =>
  Effect.suspend(() => {
    const received: Array<Received> = []
    const server = httpServer((request, response) => {
      let text = ""
      request.setEncoding("utf8").on("data", (piece: string) => (text += piece))
      request.on("end", () => {
        const { headers, method = "", url: path = "" } = request
        const one = { method, path, headers, body: text === "" ? undefined : JSON.parse(text), text }
        received.push(one)
        const answer = paths[path.split("?")[0]!]
        if (answer === undefined) response.writeHead(404).end()
        else answer(response, one)
      })
    })
    return Effect.map(server, ({ url }) => ({ url, received }))
  })
