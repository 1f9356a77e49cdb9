import { templateOf, type JsonTemplate } from "./JsonTemplate.ts"
import { parseJson } from "./open-document.ts"

/** How often one series looks for what its documents have in common. A stream has a handful of kinds of frames. */
const maxLessons = 16
/** How much of two documents has to be the same at their beginning for them to be compared, in UTF-16 code units. */
const kinship = 32
/** Longer documents are not compared, in UTF-16 code units: most of what they say differs. */
const maxLength = 4096

type Place = ReadonlyArray<string | number>

/** Where in the documents of a stream a piece of the answer stands, and what differs beside it and means nothing. */
export interface PiecePlaces {
  readonly piece: Place
  readonly beside?: ReadonlyArray<Place>
}

const isPlace = (one: Place, other: Place): boolean =>
  one.length === other.length && one.every((key, at) => key === other[at])

const pieceHoleOf = ({ holes }: JsonTemplate, { beside = [], piece }: PiecePlaces): number | undefined => {
  const hole = holes.findIndex(({ kind, path }) => kind === "string" && isPlace(path, piece))
  const others = holes.filter(({ path }, at) => at !== hole && !beside.some((place) => isPlace(path, place)))
  return hole >= 0 && others.length === 0 ? hole : undefined
}

/**
 * Parses the documents of one stream, each exactly as `JSON.parse` does. It costs a fraction of that
 * where a document differs from those before it in some strings and numbers alone, as one token of an answer differs from
 * the next: what stands around them is compared, not parsed.
 *
 * Documents may share the parts in which they are equal, so none of them is to be changed.
 */
export class JsonSeries {
  private readonly places: PiecePlaces | undefined
  private template: JsonTemplate | undefined
  /** which hole of the template is the piece, where it has no other that counts */
  private pieceHole: number | undefined
  /** whether the last document is one of the template's */
  private isOfTemplate = false
  /** the last document that had to be parsed as a whole */
  private last = ""
  private lessons = 0

  constructor(places?: PiecePlaces) {
    this.places = places
  }

  /**
   * The piece that a document holds, where it says nothing else than the one before it; undefined where it is to be parsed.
   * It is not empty.
   */
  piece(text: string): string | undefined {
    if (!this.isOfTemplate || this.pieceHole === undefined) return undefined
    const piece = this.template?.readHole(text, this.pieceHole)
    return typeof piece === "string" && piece !== "" ? piece : undefined
  }

  /** What a document says; undefined where it is none. */
  parse(text: string): unknown {
    const known = this.template?.read(text)
    this.isOfTemplate = known !== undefined
    if (known !== undefined) return known
    const value = parseJson(text)
    if (value !== undefined && this.lessons < maxLessons && text.length <= maxLength) this.learn(text, value)
    return value
  }

  private learn(text: string, value: unknown): void {
    const { last } = this
    this.last = text
    // Documents of one kind begin alike; most of those that follow each other and do not are told apart here.
    if (last.slice(0, kinship) !== text.slice(0, kinship)) return
    this.lessons++
    const template = templateOf(last, text, value, this.template)
    if (template === undefined) return
    this.template = template
    this.pieceHole = this.places === undefined ? undefined : pieceHoleOf(template, this.places)
  }
}
