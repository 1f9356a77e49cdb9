import { TextBuffer, fitsBytes } from "./TextBuffer.ts"
import { Utf8Decoder } from "./Utf8.ts"
import { defaultMaxFrameBytes } from "./Frame.ts"
import type { FrameDecoder, FrameDecoderOptions, FrameTooLarge, FramingError, WireFrame } from "./Frame.ts"

const quote = 34
const comma = 44
const openBracket = 91
const backslash = 92
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9
const isStructure = (code: number): boolean => code === quote || code === openBrace || code === openBracket

/** Where the scan is: between elements, in a bare word or number, in an object or array, in a string. */
type Place = "between" | "word" | "structure" | "string"

/** The text of a read is scanned once; what it leaves unfinished goes into a buffer and is not looked at again. */
class JsonArrayDecoder implements FrameDecoder {
  private readonly maxFrameBytes: number
  private readonly utf8 = new Utf8Decoder()
  private readonly pending = new TextBuffer()
  private place: Place = "between"
  /** how many objects and arrays of the element are open */
  private depth = 0
  private escaped = false
  private opened = false
  /** whether the frame's element has begun, and how many code units of the frame stand before it */
  private begun = false
  private leading = 0
  private complete = false
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
    if (failure === undefined && this.pending.bytes > 0) this.push("", out)
    return failure
  }

  private scan(text: string, out: Array<WireFrame>): FramingError | undefined {
    let from = 0
    let at = 0
    while (at < text.length) {
      at = this.advance(text, at, from)
      if (!this.complete) continue
      const raw = text.slice(from, at)
      if (!this.fits(raw)) return this.failure
      this.push(raw, out)
      from = at
    }
    if (!this.begun) this.leading += text.length - from
    this.pending.add(text.slice(from))
    return this.fits("") ? undefined : this.failure
  }

  /** Reads on until the place changes, a frame is complete or the text ends; returns where to go on. */
  private advance(text: string, at: number, from: number): number {
    switch (this.place) {
      case "between":
        return this.skipSeparators(text, at, from)
      case "word":
        return this.skipWord(text, at)
      case "structure":
        return this.skipStructure(text, at)
      case "string":
        return this.skipString(text, at)
    }
  }

  private skipSeparators(text: string, at: number, from: number): number {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === comma || isSpace(code)) continue
      if (code === openBracket && !this.opened) this.opened = true
      else if (code === closeBracket) {
        this.complete = true
        return at + 1
      } else {
        this.begun = true
        this.leading += at - from
        this.place = isStructure(code) ? "structure" : "word"
        return at
      }
    }
    return at
  }

  /** What ends a word is not part of it. */
  private skipWord(text: string, at: number): number {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code !== comma && code !== closeBracket && !isSpace(code)) continue
      this.complete = true
      return at
    }
    return at
  }

  private skipStructure(text: string, at: number): number {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === quote) {
        this.place = "string"
        return at + 1
      }
      if (code === openBrace || code === openBracket) this.depth++
      else if (code === closeBrace || code === closeBracket) {
        this.depth--
        if (this.depth > 0) continue
        this.complete = true
        return at + 1
      }
    }
    return at
  }

  private skipString(text: string, at: number): number {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (this.escaped) this.escaped = false
      else if (code === backslash) this.escaped = true
      else if (code === quote) {
        this.place = "structure"
        this.complete = this.depth === 0
        return at + 1
      }
    }
    return at
  }

  private push(text: string, out: Array<WireFrame>): void {
    let raw = text
    if (this.pending.bytes > 0) {
      this.pending.add(text)
      raw = this.pending.take()
    }
    out.push({ raw, event: "", data: this.begun ? raw.slice(this.leading) : "" })
    this.place = "between"
    this.complete = this.begun = false
    this.leading = this.depth = 0
  }

  private fits(text: string): boolean {
    if (fitsBytes(text, this.maxFrameBytes - this.pending.bytes)) return true
    this.failure = { _tag: "FrameTooLarge", limit: this.maxFrameBytes }
    return false
  }
}

/**
 * Makes a decoder of one JSON array that is sent element by element: an element is one frame, as soon as it is complete.
 *
 * The `raw` of a frame begins with what stands before its element (the bracket, commas, white space); the bracket that
 * closes the array, and white space after it, are frames whose `data` is empty. So the `raw`s of a stream, joined, are
 * the stream. A lone document without an array around it is an element too. Nothing else of the syntax is checked here:
 * an element is what its brackets and quotes enclose, and one that was cut is the last frame.
 */
export const makeJsonArrayDecoder = (options: FrameDecoderOptions = {}): FrameDecoder =>
  new JsonArrayDecoder(options.maxFrameBytes ?? defaultMaxFrameBytes)
