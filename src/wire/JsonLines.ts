import { TextBuffer, fitsBytes } from "./TextBuffer.ts"
import { Utf8Decoder } from "./Utf8.ts"
import { defaultMaxFrameBytes } from "./Frame.ts"
import type { FrameDecoder, FrameDecoderOptions, FrameTooLarge, FramingError, WireFrame } from "./Frame.ts"

const openBrace = 123

class JsonLinesDecoder implements FrameDecoder {
  private readonly maxFrameBytes: number
  private readonly utf8 = new Utf8Decoder()
  private readonly line = new TextBuffer()
  private failure: FrameTooLarge | undefined = undefined

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  get invalidSequences(): number {
    return this.utf8.invalidSequences
  }

  feed(bytes: Uint8Array, out: Array<WireFrame>): FramingError | undefined {
    return this.failure ?? this.scan(this.utf8.write(bytes), out)
  }

  end(out: Array<WireFrame>): FramingError | undefined {
    const failure = this.failure ?? this.scan(this.utf8.end(), out)
    if (failure === undefined && this.line.bytes > 0) this.push(`${this.line.take()}\n`, out)
    return failure
  }

  private scan(text: string, out: Array<WireFrame>): FramingError | undefined {
    let from = 0
    for (let lf = text.indexOf("\n"); lf >= 0; lf = text.indexOf("\n", from)) {
      let raw = text.slice(from, lf + 1)
      if (!this.fits(raw)) return this.failure
      if (this.line.bytes > 0) {
        this.line.add(raw)
        raw = this.line.take()
      }
      this.push(raw, out)
      from = lf + 1
    }
    this.line.add(text.slice(from))
    return this.fits("") ? undefined : this.failure
  }

  private push(raw: string, out: Array<WireFrame>): void {
    if (raw.charCodeAt(0) !== openBrace && raw.trim() === "") return
    out.push({ raw, event: "", data: raw.slice(0, raw.endsWith("\r\n") ? -2 : -1) })
  }

  private fits(text: string): boolean {
    if (fitsBytes(text, this.maxFrameBytes - this.line.bytes)) return true
    this.failure = { _tag: "FrameTooLarge", limit: this.maxFrameBytes }
    return false
  }
}

/**
 * Makes a decoder of newline-delimited JSON: one line is one frame, its `raw` with the line end, its `data` without.
 *
 * Lines end with LF or CRLF. Lines of nothing but white space are skipped; they count for the limit while they last.
 */
export const makeJsonLinesDecoder = (options: FrameDecoderOptions = {}): FrameDecoder =>
  new JsonLinesDecoder(options.maxFrameBytes ?? defaultMaxFrameBytes)
