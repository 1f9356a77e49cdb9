/** What the benchmark's own servers, upstream and baselines, have in common. */
import type { IncomingMessage, Server } from "node:http"

export const readBody = (request: IncomingMessage, use: (body: Buffer) => void): void => {
  const pieces: Array<Buffer> = []
  request.on("data", (piece: Buffer) => pieces.push(piece))
  request.on("end", () => use(Buffer.concat(pieces)))
}

/** Listens on a free port of the loopback, tells it to the parent process, and ends when the parent does. */
export const announcePort = (server: Server): void => {
  process.once("disconnect", () => process.exit())
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    if (address !== null && typeof address === "object") process.send?.({ port: address.port })
  })
}
