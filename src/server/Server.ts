import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Schedule } from "effect"
import { createServer } from "node:http"
import { Access } from "../accounting/Access.ts"
import { Engine } from "../engine/Engine.ts"
import { Watchdog } from "../routing/Watchdog.ts"
import { makeAdminRoutes } from "./admin/routes.ts"
import type { Surfaces } from "../protocols/Surface.ts"
import { PulseWatch } from "./Pulse.ts"
import { dispatch, makeRoutes } from "./routes.ts"
import { serveRequests } from "./serveRequests.ts"
import { makeUsageRoutes } from "./usage.ts"
import { Settings } from "./Settings.ts"
import { makeSignalRoutes } from "./signals.ts"

/** How long clients may take to send the head of a request, to send all of it, and until the next one; in milliseconds. */
const patience = { headersTimeout: 60_000, requestTimeout: 600_000, keepAliveTimeout: 120_000 }

/** Completes when whoever told the server to end will not wait for its calls any longer; never, unless provided. */
export const Impatience = Context.Reference<Effect.Effect<void>>("millrace/server/Impatience", {
  defaultValue: () => Effect.never
})

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
        const impatience = yield* Impatience
        let draining = false
        const more = [...(yield* makeSignalRoutes), ...(yield* makeUsageRoutes), ...(yield* makeAdminRoutes)]
        const routes = makeRoutes(surfaces, () => draining, more)
        const access = yield* Access
        const handle = dispatch(routes, { surfaces, origins: { ...settings, isOpen: !access.required }, access })
        const watchdog = yield* Watchdog.make
        const server = createServer({ ...patience, noDelay: true })
        yield* NodeHttpServer.make(() => server, { host: settings.host, port: settings.port, backlog: 4096 })
        // Nothing is waited for between the two: whoever finds it listening is answered.
        const owed = yield* Effect.provideService(serveRequests(server, handle), PulseWatch, watchdog)
        yield* Effect.addFinalizer(() =>
          Effect.suspend(() => {
            draining = true
            return drain(engine, owed, settings.shutdownGraceMs, impatience)
          })
        )
        const { port } = serverAddress(server.address())
        return Server.of({ host: settings.host, port, url: `http://${hostInUrl(settings.host)}:${port}` })
      })
    )
}

const serverAddress = (address: ReturnType<ReturnType<typeof createServer>["address"]>): { readonly port: number } =>
  typeof address === "object" && address !== null ? address : { port: 0 }

const hostInUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host)

/**
 * Waits for the open calls and for all answers that are owed, cancels calls that take longer than the grace, or than
 * anybody is willing to wait, and waits for their endings to be told.
 */
const drain = Effect.fnUntraced(function* (
  engine: Engine["Service"],
  owed: Effect.Effect<number>,
  graceMs: number,
  impatience: Effect.Effect<void>
) {
  const open = Math.max(yield* engine.active, yield* owed)
  if (open > 0) yield* Effect.logInfo(`Ending: calls may go on for ${graceMs / 1000} s`, { open })
  const whileAny = (count: Effect.Effect<number>) =>
    Effect.asVoid(Effect.repeat(count, { schedule: Schedule.spaced("20 millis"), while: (left) => left > 0 }))
  const done = Effect.andThen(whileAny(engine.active), whileAny(owed))
  const cutShort = Effect.andThen(impatience, engine.shutdown)
  yield* Effect.timeoutOrElse(Effect.raceFirst(done, cutShort), { duration: graceMs, orElse: () => engine.shutdown })
  yield* Effect.timeoutOrElse(whileAny(engine.active), { duration: "2 seconds", orElse: () => Effect.void })
})
