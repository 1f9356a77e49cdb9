import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import type { Splits } from "../../providers/simulator/Options.ts"
import { seeded } from "../../providers/simulator/Seeded.ts"
import type { Chunk, Performance } from "./Performance.ts"

/** How a delivery went; an interrupted one has no result. */
export type Delivered = "completed" | "reset"

/** The most bytes that one write joins where nothing says to cut them. */
const longestWrite = 16 * 1024

/** The longest piece of a random split, in bytes. */
const longestPiece = 48

/**
 * Does a performance on a connection. Every write is one chunk of the transfer encoding and is with the kernel before
 * the next one begins, so that splits arrive as they were made. `sent` is told of every write's size. Ends when the body
 * has ended or the connection was broken; a stall ends only by interruption.
 */
export const deliver = Effect.fnUntraced(function* (
  response: ServerResponse,
  performance: Performance,
  splits: Splits | undefined,
  sent: (bytes: number) => void
): Effect.fn.Return<Delivered> {
  const { chunks, ending, headMs } = performance
  if (headMs === Infinity) return yield* Effect.never
  if (headMs > 0) yield* Effect.sleep(headMs)
  if (ending === "reset" && chunks.length === 0) return reset(response)
  response.writeHead(performance.status, performance.headers)
  response.flushHeaders()
  const cut = cutter(splits)
  for (const chunk of joined(chunks)) {
    if (chunk.waitMs > 0) yield* Effect.sleep(chunk.waitMs)
    for (const piece of cut(chunk.data)) {
      yield* write(response, piece)
      sent(piece.length)
    }
  }
  if (ending === "stall") return yield* Effect.never
  if (ending === "reset") return reset(response)
  yield* end(response)
  return "completed"
})

const reset = (response: ServerResponse): Delivered => {
  response.destroy()
  return "reset"
}

/** Hands a piece to the kernel. A connection that broke takes nothing any more: its interruption is on the way. */
const write = (response: ServerResponse, piece: Buffer): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    response.write(piece, (error) => {
      if (error === undefined || error === null) resume(Effect.void)
    })
  })

const end = (response: ServerResponse): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const done = () => resume(Effect.void)
    // A client that left before the last bytes were taken has ended it as well.
    response.once("close", done)
    response.end(done)
  })

interface Piece {
  readonly waitMs: number
  readonly data: Buffer
}

/** Chunks that come together, joined to writes of a sensible size. */
const joined = (chunks: ReadonlyArray<Chunk>): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let parts: Array<Buffer> = []
  let waitMs = 0
  let length = 0
  const flush = () => {
    if (length > 0) pieces.push({ waitMs, data: Buffer.concat(parts) })
    parts = []
    length = 0
  }
  for (const chunk of chunks) {
    const data = Buffer.from(chunk.data)
    if (chunk.waitMs > 0 || length + data.length > longestWrite) {
      flush()
      waitMs = chunk.waitMs
    }
    parts.push(data)
    length += data.length
  }
  flush()
  return pieces
}

/** Cuts what is written together into the pieces of single writes. */
const cutter = (splits: Splits | undefined): ((data: Buffer) => ReadonlyArray<Buffer>) => {
  if (splits === undefined) return (data) => [data]
  const random = splits._tag === "Random" ? seeded(splits.seed) : () => 0
  return (data) => {
    const pieces: Array<Buffer> = []
    for (let from = 0; from < data.length;) {
      const to = from + 1 + Math.floor(random() * longestPiece)
      pieces.push(data.subarray(from, to))
      from = to
    }
    return pieces
  }
}
