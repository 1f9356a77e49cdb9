import type { Decisions, TextScanner } from "./TextScanner.ts"
import { scanWhole } from "./TextScanner.ts"
import { type Ending, isEnding } from "./Verdict.ts"

/** A value without quotes is a number or a word of JSON; what is longer than this is no JSON at all. */
const longestBare = 256

const structure = new Set(['"', "{", "}", "[", "]", ",", ":"])
const blank = new Set([" ", "\n", "\r", "\t"])
const escapes: { readonly [letter: string]: string } = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" }

/**
 * Looks at the arguments of a tool call as what they are, JSON that is being written: every string in it is a text of its
 * own, read without its escapes, so that nothing hides behind them, and what is said in its place is escaped. A number in
 * which something is found becomes a string. Text that turns out to be no JSON is read as plain text.
 */
export class JsonTextScanner implements TextScanner {
  private readonly make: () => TextScanner
  private state: "between" | "string" | "bare" | "plain" = "between"
  private inner: TextScanner | undefined
  /** what came and was not read yet: the beginning of an escape */
  private source = ""
  private bare = ""
  /** how much of the source each undecided code unit of the string takes */
  private widths: Array<number> = []

  constructor(make: () => TextScanner) {
    this.make = make
  }

  readonly scan = (text: string, end: boolean, decide: Decisions): Ending | undefined => {
    this.source += text
    while (this.source !== "") {
      const before = this.source.length
      const ending = this.read(end, decide)
      if (ending !== undefined) return ending
      if (this.source.length === before) break
    }
    return end ? this.finish(decide) : undefined
  }

  private read(end: boolean, decide: Decisions): Ending | undefined {
    switch (this.state) {
      case "between":
        return this.readBetween(decide)
      case "string":
        return this.readString(end, decide)
      case "bare":
        return this.readBare(decide)
      case "plain": {
        const { source } = this
        this.source = ""
        return this.inner?.scan(source, false, decide)
      }
    }
  }

  private readBetween(decide: Decisions): undefined {
    let at = 0
    while (at < this.source.length) {
      const character = this.source[at]!
      if (character === '"') {
        at++
        this.state = "string"
        this.inner = this.make()
        break
      }
      if (!structure.has(character) && !blank.has(character)) {
        this.state = "bare"
        break
      }
      at++
    }
    this.source = this.source.slice(at)
    decide.keep(at)
  }

  private readString(end: boolean, decide: Decisions): Ending | undefined {
    const { source } = this
    let text = ""
    let at = 0
    let closed = false
    while (at < source.length && !closed) {
      const character = source[at]!
      if (character === '"') {
        closed = true
        break
      }
      const width = character === "\\" ? escapeWidth(source, at) : 1
      // The rest of the escape comes with the next piece.
      if (at + width > source.length && !end) break
      const piece = source.slice(at, at + width)
      text += character === "\\" ? unescaped(piece) : character
      this.widths.push(piece.length)
      at += piece.length
    }
    this.source = source.slice(at)
    const ending = this.inner?.scan(text, closed, this.decisions(decide))
    if (ending !== undefined || !closed) return ending
    this.state = "between"
    this.source = this.source.slice(1)
    decide.keep(1)
    return undefined
  }

  /** Decisions about the text of a string, as decisions about how it is written. */
  private decisions(decide: Decisions): Decisions {
    const source = (length: number): number => this.widths.splice(0, length).reduce((total, width) => total + width, 0)
    return {
      keep: (length) => decide.keep(source(length)),
      replace: (length, text) => decide.replace(source(length), JSON.stringify(text).slice(1, -1))
    }
  }

  private readBare(decide: Decisions): Ending | undefined {
    let at = 0
    while (at < this.source.length && !structure.has(this.source[at]!) && this.bare.length + at <= longestBare) at++
    this.bare += this.source.slice(0, at)
    this.source = this.source.slice(at)
    if (this.bare.length > longestBare) return this.readPlainly(decide)
    return this.source === "" ? undefined : this.endBare(decide)
  }

  private readPlainly(decide: Decisions): Ending | undefined {
    const { bare } = this
    this.bare = ""
    this.state = "plain"
    this.inner = this.make()
    return this.inner.scan(bare, false, decide)
  }

  private endBare(decide: Decisions): Ending | undefined {
    const { bare } = this
    this.bare = ""
    this.state = "between"
    const scanned = scanWhole(this.make(), bare)
    if (isEnding(scanned)) return scanned
    if (scanned === bare) decide.keep(bare.length)
    else decide.replace(bare.length, JSON.stringify(scanned.trim()))
    return undefined
  }

  private finish(decide: Decisions): Ending | undefined {
    switch (this.state) {
      case "between":
        return undefined
      case "bare":
        return this.endBare(decide)
      case "string":
        return this.inner?.scan("", true, this.decisions(decide))
      case "plain":
        return this.inner?.scan("", true, decide)
    }
  }
}

/** Reads a text as JSON if it begins as an object or a list does, and as plain text otherwise. */
export class PerhapsJsonScanner implements TextScanner {
  private readonly make: () => TextScanner
  private inner: TextScanner | undefined
  private blanks = ""

  constructor(make: () => TextScanner) {
    this.make = make
  }

  readonly scan = (text: string, end: boolean, decide: Decisions): Ending | undefined => {
    if (this.inner !== undefined) return this.inner.scan(text, end, decide)
    const at = text.search(/[^ \n\r\t]/)
    const length = this.blanks.length + (at < 0 ? text.length : at)
    const seen = this.blanks + text
    // A model that cannot begin its JSON may write blanks for ever.
    const isLong = length > longestBare
    if (at < 0 && !end && !isLong) {
      this.blanks = seen
      return undefined
    }
    this.inner = isLong || text[at] === "{" || text[at] === "[" ? new JsonTextScanner(this.make) : this.make()
    return this.inner.scan(seen, end, decide)
  }
}

const escapeWidth = (source: string, at: number): number => (source[at + 1] === "u" ? 6 : 2)

const unescaped = (escape: string): string => {
  const letter = escape[1] ?? ""
  if (letter !== "u") return escapes[letter] ?? letter
  const code = Number.parseInt(escape.slice(2), 16)
  return Number.isNaN(code) ? "\ufffd" : String.fromCharCode(code)
}
