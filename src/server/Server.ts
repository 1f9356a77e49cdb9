import { NodeHttpServer, NodeHttpServerRequest } from "@effect/platform-node"
import { Context, Effect, Layer, Schedule } from "effect"
import { HttpMiddleware, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { failure } from "../domain/LlmError.ts"
import { Engine } from "../engine/Engine.ts"
import { sendJson, type Exchange } from "./Generate.ts"
import { dispatch, makeRoutes, surfaceFor, type Surfaces } from "./routes.ts"
import { headersOf, requestIdOf } from "./requests.ts"
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
        const server = createServer({ keepAliveTimeout: 120_000, noDelay: true, requestTimeout: 0 })
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
          // Health is still told, and what was begun can still be read, while the process ends.
          const answered = draining && exchange.request.method === "POST" ? refuse(exchange, surfaces) : route(exchange)
          return Effect.as(answered, written)
        })
        yield* http.serve(app).pipe(
          // The span of a call is made by hand, once; the server's own for every request would cost more than the call.
          Effect.provideService(HttpMiddleware.TracerDisabledWhen, () => true)
        )
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

const refuse = (exchange: Exchange, surfaces: Surfaces): Effect.Effect<void> =>
  Effect.gen(function* () {
    const requestId = yield* requestIdOf(headersOf(exchange.request))
    const surface = surfaceFor(surfaces, exchange, exchange.request.url ?? "/")
    const error = failure({ _tag: "NoRoute" }, "The server is shutting down")
    yield* Effect.sync(() =>
      sendJson(exchange, surface.dialect.renderError(error, requestId), {
        "x-request-id": requestId,
        connection: "close"
      })
    )
  })

/** Waits for the open calls, cancels those that take longer than the grace, and waits for their endings to be told. */
const drain = Effect.fnUntraced(function* (engine: Engine["Service"], graceMs: number) {
  const idle = engine.active.pipe(
    Effect.repeat({ schedule: Schedule.spaced("20 millis"), while: (active) => active > 0 }),
    Effect.asVoid
  )
  yield* Effect.timeoutOrElse(idle, { duration: graceMs, orElse: () => engine.shutdown })
  yield* Effect.timeoutOrElse(idle, { duration: "2 seconds", orElse: () => Effect.void })
})
