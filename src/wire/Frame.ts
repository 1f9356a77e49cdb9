/** One frame as it stood on the wire. */
export interface WireFrame {
  /**
   * The frame's exact text with its line ends and the blank line that closes it. It begins with whatever fields stood
   * before it in blocks that are no frames (a lone `retry:`), so that the `raw`s of a stream, joined, are the stream
   * without its byte order mark, comment blocks and surplus blank lines.
   */
  readonly raw: string
  /** The name of the event; `""` where the frame has none. */
  readonly event: string
  /** The payload, its lines joined by `"\n"`. */
  readonly data: string
}

/** A frame, with all that must be kept until it is complete, is longer than `limit` bytes of UTF-8. */
export interface FrameTooLarge {
  readonly _tag: "FrameTooLarge"
  readonly limit: number
}

/** A binary frame contradicts itself: a checksum, its lengths, or its headers. */
export interface CorruptFrame {
  readonly _tag: "CorruptFrame"
  readonly problem: "checksum" | "length" | "headers"
}

/** Why bytes could not be framed. */
export type FramingError = FrameTooLarge | CorruptFrame

/**
 * An incremental decoder from bytes to frames, one per stream.
 *
 * Mutable and free of Effect by design: it runs once for every read of the socket. How the bytes are split never changes
 * the frames, and the work is linear in the bytes. Frames that were complete before an error are still in `out`; after
 * an error every further call reports the same error. The strings of a frame may be slices of the text of the read it
 * came with, and then keep that text alive.
 */
export interface FrameDecoder {
  /** Pushes every frame that `bytes` completes into `out`. The bytes may be reused afterwards. */
  feed(bytes: Uint8Array, out: Array<WireFrame>): FramingError | undefined
  /** The transport ended: a last frame that was not terminated counts, and its `raw` gets the missing line ends. */
  end(out: Array<WireFrame>): FramingError | undefined
  /** How often U+FFFD was put in the place of bytes that are not UTF-8, up to an error. */
  readonly invalidSequences: number
}

/** How a decoder is made. */
export interface FrameDecoderOptions {
  /** The longest frame that is accepted, in bytes of UTF-8; 16 MiB unless given. */
  readonly maxFrameBytes?: number
}

/** The longest frame that a decoder accepts if it is not told otherwise, in bytes. */
export const defaultMaxFrameBytes = 16 * 1024 * 1024
