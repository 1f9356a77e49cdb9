import { NodeHttpServer } from "@effect/platform-node"
import { Clock, Effect } from "effect"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Surfaces } from "../../protocols/Surface.ts"
import { allSurfaces } from "../../protocols/surfaces.ts"
import { furtherSurfaces } from "../../providers/simulator/formats/surfaces.ts"
import { noReplay, openReplay } from "./Replay.ts"
import { RequestLog } from "./RequestLog.ts"
import { simulateApp } from "./routes.ts"
import { noScript, openScript } from "./ScriptFile.ts"
import { SimulateError } from "./SimulateError.ts"
import { Simulation } from "./Simulation.ts"

/** Where a simulator listens, and what it answers. */
export interface SimulateOptions {
  /** 127.0.0.1 unless given */
  readonly host?: string
  /** 0 takes any free port */
  readonly port: number
  /** a folder of recordings */
  readonly replay?: string
  /** a file of scripted answers */
  readonly script?: string
  /** the APIs that are spoken and Millrace speaks too; all of them unless given */
  readonly surfaces?: Surfaces
}

/** A running simulator: where it listens, what can be asked, and what was. */
export interface SimulateServer {
  readonly host: string
  readonly port: number
  /** without a slash at its end: an SDK's base URL is this, or this and `/v1` */
  readonly url: string
  readonly models: ReadonlyArray<string>
  readonly log: RequestLog
}

/**
 * Starts an HTTP server that stands in for real providers, for as long as the scope is open: simulated models, scripted
 * answers, recordings, faults. It prints nothing. Fails where the address is taken, the script file cannot be read, or
 * the folder of recordings is not there.
 */
export const simulateServer = Effect.fn("simulateServer")(function* (options: SimulateOptions) {
  const { host = "127.0.0.1", surfaces = allSurfaces } = options
  const replay = options.replay === undefined ? noReplay : yield* openReplay(options.replay)
  const script = options.script === undefined ? noScript : yield* openScript(options.script)
  const simulation = new Simulation(replay, script)
  const log = new RequestLog()
  const startedAt = Math.floor((yield* Clock.currentTimeMillis) / 1000)

  const node = createServer({ noDelay: true, keepAliveTimeout: 60_000 })
  node.on("connection", (socket) => {
    log.connections.open++
    log.connections.total++
    socket.once("close", () => log.connections.open--)
  })
  const listening = { host, port: options.port, disablePreemptiveShutdown: true }
  const server = yield* NodeHttpServer.make(() => node, listening).pipe(
    Effect.mapError((error) => {
      const why = error.cause instanceof Error ? error.cause.message : String(error.cause)
      return new SimulateError({ message: `cannot listen on ${host}:${options.port}: ${why}` })
    })
  )
  // Requests in flight are not waited for: whoever stops a simulator has seen enough.
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
  yield* server.serve(simulateApp({ surfaces, further: furtherSurfaces, simulation, log, startedAt }))
  // A server that listens on a host and a port has such an address.
  const { port } = node.address() as AddressInfo
  const name = host.includes(":") ? `[${host}]` : host
  return { host, port, url: `http://${name}:${port}`, models: simulation.models, log } satisfies SimulateServer
})
