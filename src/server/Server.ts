import { NodeHttpServer, NodeHttpServerRequest } from "@effect/platform-node"
import { Context, Effect, Layer, Schedule } from "effect"
import { HttpMiddleware, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Engine } from "../engine/Engine.ts"
import type { Exchange } from "./requests.ts"
import { dispatch, makeRoutes, type Surfaces } from "./routes.ts"
import { Settings } from "./Settings.ts"

/** Where the server listens. */
export class Server extends Context.Service<
  Server,
  { readonly host: string; readonly port: number; readonly url: string }
>()("millrace/server/Server") {
  /**
   * Serves the dialects over HTTP until its scope closes. Closing is graceful: `/readyz` says 503 and new calls are
   * refused at once, calls that run may end within the grace, then they are cancelled.
   */
  static readonly layer = (surfaces: Surfaces) =>
    Layer.effect(
      Server,
      Effect.gen(function* () {
        const settings = yield* Settings
        const engine = yield* Engine
        // A request may take its time, its head may not.
        const timeouts = { requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 120_000 }
        const server = createServer({ ...timeouts, noDelay: true })
        const http = yield* NodeHttpServer.make(() => server, {
          host: settings.host,
          port: settings.port,
          backlog: 4096,
          gracefulShutdownTimeout: "1 second"
        })
        let draining = false
        const route = dispatch(
          makeRoutes(surfaces, () => draining),
          surfaces
        )
        const app = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
          // The server was made by node:http, so these are its own, never those of HTTP/2.
          const exchange: Exchange = {
            request: NodeHttpServerRequest.toIncomingMessage(request) as IncomingMessage,
            response: NodeHttpServerRequest.toServerResponse(request) as ServerResponse
          }
          // The server runs what it is given uninterruptibly: a client that leaves has to end it.
          return Effect.as(Effect.interruptible(route(exchange)), written)
        })
        yield* http.serve(app).pipe(
          // The span of a call is made by hand, once; the server's own for every request would cost more than the call.
          Effect.provideService(HttpMiddleware.TracerDisabledWhen, () => true)
        )
        // Nothing here speaks another protocol: clients that offer to (h2c, of all) are answered in HTTP/1.1, as is usual.
        server.removeAllListeners("upgrade")
        yield* Effect.addFinalizer(() =>
          Effect.suspend(() => {
            draining = true
            return drain(engine, settings.shutdownGraceMs)
          })
        )
        const { port } = serverAddress(server.address())
        return Server.of({ host: settings.host, port, url: `http://${hostInUrl(settings.host)}:${port}` })
      })
    )
}

/** The response is written directly; this one is never sent. */
const written = HttpServerResponse.empty()

const serverAddress = (address: ReturnType<ReturnType<typeof createServer>["address"]>): { readonly port: number } =>
  typeof address === "object" && address !== null ? address : { port: 0 }

const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/** Waits for the open calls, cancels those that take longer than the grace, and waits for their endings to be told. */
const drain = Effect.fnUntraced(function* (engine: Engine["Service"], graceMs: number) {
  const idle = engine.active.pipe(
    Effect.repeat({ schedule: Schedule.spaced("20 millis"), while: (active) => active > 0 }),
    Effect.asVoid
  )
  yield* Effect.timeoutOrElse(idle, { duration: graceMs, orElse: () => engine.shutdown })
  yield* Effect.timeoutOrElse(idle, { duration: "2 seconds", orElse: () => Effect.void })
})
