/**
 * Finds where a second answer goes on after what was already sent. It takes the second text piece by piece, however it is
 * cut, and returns what of it is new; `undefined` says that it is another answer.
 */
export interface RescueMatch {
  /** whether everything from here on is new */
  readonly passed: boolean
  readonly take: (piece: string) => string | undefined
  /** No more text comes before something else does: what was held back, if it is new. */
  readonly end: () => string | undefined
}

/** A second answer from the beginning: held back while it equals what was sent, new after it. */
export class RestartMatch implements RescueMatch {
  private readonly sent: string
  private matched = 0

  constructor(sent: string) {
    this.sent = sent
  }

  get passed(): boolean {
    return this.matched === this.sent.length
  }

  take(piece: string): string | undefined {
    const left = this.sent.length - this.matched
    if (left === 0) return piece
    const compared = piece.slice(0, left)
    if (!this.sent.startsWith(compared, this.matched)) return undefined
    this.matched += compared.length
    return piece.slice(left)
  }

  end(): string | undefined {
    return this.passed ? "" : undefined
  }
}

/** From so many characters on, a continuation that repeats the answer's beginning and then differs began anew. */
const anew = 32

/**
 * A continuation of what was sent. A model that was given the beginning goes on after it, but some repeat its last words,
 * the white space that the beginning was sent without, or all of it. The text is held back while it may still be such a
 * repetition.
 *
 * What looks like one may be meant: lists, tables and code repeat themselves. Taken for a repetition is what no answer
 * says twice in a row by chance: two words and more that were not said before, from the beginning of a word on.
 */
export class ContinuationMatch implements RescueMatch {
  private readonly sent: string
  /** where the white space begins that the model was not given */
  private readonly given: number
  /** the places of what was sent at which the text so far stands */
  private places: Array<number> | undefined
  private held = ""
  /** how much of the text is a repetition, as far as is known */
  private repeated = 0
  passed = false

  constructor(sent: string) {
    this.sent = sent
    this.given = sent.trimEnd().length
  }

  take(piece: string): string | undefined {
    if (this.passed) return piece
    for (let at = 0; at < piece.length; at++) {
      if (!this.follow(piece.charCodeAt(at))) return undefined
      this.held += piece[at]
      if (this.places?.length === 0) return this.release() + piece.slice(at + 1)
    }
    return ""
  }

  end(): string {
    return this.passed ? "" : this.release()
  }

  private release(): string {
    this.passed = true
    return this.held.slice(this.repeated)
  }

  /** Keeps the places that go on with a character. False where the text turned out to be another answer. */
  private follow(code: number): boolean {
    const { held, sent } = this
    const going: Array<number> = []
    let beginsAnew = false
    for (const place of this.places ?? allPlaces(sent)) {
      const at = place + held.length
      if (sent.charCodeAt(at) !== code) beginsAnew ||= place === 0 && held.length >= anew
      else if (at + 1 < sent.length) going.push(place)
      else if (this.isRepetition(place)) this.repeated = held.length + 1
    }
    this.places = going
    return !beginsAnew
  }

  private isRepetition(place: number): boolean {
    if (place === 0 || place >= this.given) return true
    const { sent } = this
    const words = sent.slice(place)
    const fromWord = /\s/.test(sent.charAt(place - 1)) || /\s/.test(words.charAt(0))
    return fromWord && prose.test(words) && sent.indexOf(words) === place
  }
}

/** Two words and more, with the signs between them; nothing that tables and code are made of. */
const prose = /^(?=\P{L}*\p{L}\S*\s\P{L}*\p{L})[\p{L}\p{M}\p{N}\s,.;:!?'"’“”()-]+$/u

/** So far back may a repetition of the end begin, in UTF-16 code units: every place is followed by itself. */
const farthest = 8192

/** The beginning, and the places that are near the end. */
const allPlaces = (sent: string): ReadonlyArray<number> => {
  const from = Math.max(1, sent.length - farthest)
  const near = Array.from({ length: Math.max(0, sent.length - from) }, (_, place) => from + place)
  return sent === "" ? near : [0, ...near]
}
