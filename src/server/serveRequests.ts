import { Cause, Effect, Exit, Fiber, Scope } from "effect"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { Roster } from "../domain/Roster.ts"
import type { Exchange } from "./requests.ts"

/** How much of a body that nobody reads is read away so that the connection can be used again, in bytes. */
const maxUnread = 256 * 1024
/** How long a client that still sends has to read its answer before the connection is broken off. */
const closeGrace = "500 millis"
/** How long requests may take, other than calls, once the server is closing. */
const endingTime = "1 second"

/**
 * Runs `handle` in a fiber for every request of a listening server, until the scope closes. A client that leaves
 * interrupts the fiber of its request, unless that says otherwise. Closing the scope accepts no more, waits a second for
 * what runs, and interrupts it. Gives how many answers are owed: not begun, or complete and not yet taken.
 *
 * Effect's HTTP server does this for handlers that return their response. These write it themselves, and need so little
 * of what it prepares for every request that it would be a seventh of the cost of a call.
 */
export const serveRequests = Effect.fnUntraced(function* <R>(
  server: Server,
  handle: (exchange: Exchange) => Effect.Effect<void, never, R>
): Effect.fn.Return<Effect.Effect<number>, never, R | Scope.Scope> {
  const context = yield* Effect.context<R>()
  const run = Effect.runForkWith(context)
  const scope = yield* Effect.scope
  yield* Scope.addFinalizer(
    scope,
    Effect.sync(() => server.closeAllConnections())
  )
  const running = new Roster<Running>()
  yield* Scope.addFinalizer(
    scope,
    Effect.suspend(() => Fiber.interruptAll(running.all.map(({ fiber }) => fiber)))
  )
  const follow = (fiber: Fiber.Fiber<void>, exchange: Exchange) => {
    if (fiber.pollUnsafe() !== undefined) return
    const name = String(fiber.id)
    running.add(name, { fiber, exchange })
    fiber.addObserver(() => running.remove(name))
  }
  const untaken = new Set<ServerResponse>()
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const exchange: Exchange = { request, response }
    const fiber = run(handle(exchange))
    fiber.addObserver((exit) => {
      const failed = Exit.isFailure(exit) && Cause.hasDies(exit.cause)
      if (failed) run(Effect.logError("A request failed because of a defect", exit.cause))
      if (!response.writableEnded) breakOff(response, failed ? 500 : 503)
      if (isUntaken(response)) {
        untaken.add(response)
        response.once("close", () => untaken.delete(response))
      }
      if (!request.complete && !request.destroyed) follow(run(readAway(request)), exchange)
    })
    if (fiber.pollUnsafe() !== undefined) return
    follow(fiber, exchange)
    response.on("close", () => {
      if (!response.writableEnded && exchange.whenLeft?.() !== true) fiber.interruptUnsafe()
    })
  }
  server.on("request", onRequest)
  // Whoever reads the body says that it is welcome.
  server.on("checkContinue", onRequest)
  yield* Scope.addFinalizer(
    scope,
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
    }).pipe(Effect.interruptible, Effect.timeoutOption(endingTime))
  )
  return Effect.sync(() => untaken.size + running.all.filter(({ exchange }) => isOwed(exchange)).length)
})

/** A request that is being handled. */
interface Running {
  readonly fiber: Fiber.Fiber<void>
  readonly exchange: Exchange
}

/** Whether an answer is still to come, or the rest of one that is complete. */
const isOwed = ({ request, response }: Exchange): boolean =>
  response.headersSent ? isUntaken(response) : request.complete

/** Whether an answer is complete of which the system could not take all: nearly always it can. */
const isUntaken = ({ socket, writableEnded }: ServerResponse): boolean =>
  writableEnded && socket !== null && socket.writableLength > 0

/** The handler ended without an answer: it broke, the process ends, or nobody is there to hear it. */
const breakOff = (response: ServerResponse, status: number): void => {
  if (response.headersSent || response.destroyed) response.destroy()
  else response.writeHead(status, { connection: "close" }).end()
}

/**
 * The answer came before the end of the body. What is left of it is read away, so that the connection can be used again;
 * where that is too much the connection is closed, gently: a client whose connection is reset while it sends does not
 * read its answer.
 */
const readAway = (request: IncomingMessage): Effect.Effect<void> =>
  Effect.callback<boolean>((resume) => {
    let unread = 0
    request.on("data", (chunk: Buffer) => {
      unread += chunk.length
      if (unread > maxUnread) resume(Effect.succeed(false))
    })
    request.once("close", () => resume(Effect.succeed(true)))
    request.resume()
  }).pipe(
    Effect.flatMap((isRead) => {
      if (isRead) return Effect.void
      request.pause()
      request.socket.end()
      return Effect.andThen(Effect.sleep(closeGrace), () => Effect.sync(() => request.socket.destroy()))
    })
  )
