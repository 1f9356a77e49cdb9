import { Effect, type Scope } from "effect"
import { createServer as createHttpServer, type RequestListener } from "node:http"
import { createServer, type AddressInfo, type Server, type Socket } from "node:net"

/** A provider's end of the line, on a port of its own. */
export interface Listening {
  readonly port: number
  /** without a slash at its end */
  readonly url: string
  /** how many connections were made so far */
  readonly connections: () => number
  /** goes on when so many connections are closed that were made */
  readonly closed: (count: number) => Effect.Effect<void>
}

const listening = (server: Server): Effect.Effect<Listening, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Listening & { readonly sockets: Set<Socket> }>((resume) => {
      const sockets = new Set<Socket>()
      const waiting: Array<() => void> = []
      let connections = 0
      let closed = 0
      server.on("connection", (socket) => {
        connections++
        sockets.add(socket)
        // A connection that is reset is closed as well.
        socket.on("error", () => undefined)
        socket.on("close", () => {
          closed++
          sockets.delete(socket)
          for (const check of waiting) check()
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(
          Effect.succeed({
            port,
            url: `http://127.0.0.1:${port}`,
            connections: () => connections,
            closed: (count) =>
              Effect.callback<void>((resume) => {
                const check = () => {
                  if (closed >= count) resume(Effect.void)
                }
                waiting.push(check)
                check()
              }),
            sockets
          })
        )
      })
    }),
    ({ sockets }) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )

export const httpServer = (handler: RequestListener) => listening(createHttpServer(handler))

/** A server that is handed the bare connection. */
export const netServer = (onConnection: (socket: Socket) => void) => listening(createServer(onConnection))

/** A server that waits for a request's head and then says exactly `answer`, piece by piece. */
export const sayingServer = (
  answer: ReadonlyArray<string>,
  then: (socket: Socket) => void = () => undefined
): Effect.Effect<Listening, never, Scope.Scope> =>
  netServer((socket) => {
    let head = ""
    socket.setNoDelay(true)
    socket.on("data", (bytes) => {
      if (head.includes("\r\n\r\n")) return
      head += bytes.toString("latin1")
      if (!head.includes("\r\n\r\n")) return
      const say = (index: number): void => {
        const piece = answer[index]
        if (piece === undefined) then(socket)
        // Each piece is a packet of its own: the next one is written once this one has left.
        else socket.write(piece, () => setImmediate(say, index + 1))
      }
      say(0)
    })
  })

/** A port on which nobody listens. */
export const closedPort: Effect.Effect<number> = Effect.scoped(
  Effect.map(
    netServer(() => undefined),
    ({ port }) => port
  )
)
