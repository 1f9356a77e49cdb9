/** Documents that are the same but for some of their strings and numbers. */
export interface JsonTemplate {
  /** What `JSON.parse` makes of `text`; undefined where that is not such a document, or none at all. */
  readonly read: (text: string) => unknown
  /** What stands in one of the holes of `text`, without making the rest of it; undefined as for `read`. */
  readonly readHole: (text: string, hole: number) => string | number | undefined
  /** the values that differ */
  readonly holes: ReadonlyArray<Hole>
}

type Kind = "string" | "number"
type Container = { readonly [key: string]: unknown } | ReadonlyArray<unknown>

/** A value that differs, and where it is. */
interface Hole {
  readonly kind: Kind
  readonly path: ReadonlyArray<string | number>
}

/** A part of the document on the way to values that differ: it is made anew, the others are not. */
interface Part {
  readonly container: Container
  readonly parts: Array<readonly [key: string | number, part: Part]>
  /** the values in it that differ: at which key, and the number of the hole */
  readonly holes: Array<readonly [key: string | number, hole: number]>
}

const quotationMark = 34
const comma = 44
const minus = 45
const zero = 48
const nine = 57
const bracket = 91
const backslash = 92
const closingBracket = 93
const brace = 123
const closingBrace = 125
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** a text that stands in a string as it is: without control characters, quotes and backslashes */
const plain = /^[ !#-[\]-\uffff]*$/

/** Where the string ends whose first character is at `from`: the index of the quote that closes it, -1 without one. */
const stringEnd = (text: string, from: number): number => {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (end - escapes > from && text.charCodeAt(end - escapes - 1) === backslash) escapes++
    if (escapes % 2 === 0) return end
  }
  return -1
}

/** As `startsWith`, which takes several times as long. */
const standsAt = (text: string, part: string, at: number): boolean => text.slice(at, at + part.length) === part

class Template implements JsonTemplate {
  /** the text before, between and behind the holes; the quotes of a string stand in it */
  private readonly literals: ReadonlyArray<string>
  readonly holes: ReadonlyArray<Hole>
  private readonly root: Part
  private readonly values: Array<string | number> = []
  /** where the reading is */
  private at = 0

  constructor(literals: ReadonlyArray<string>, holes: ReadonlyArray<Hole>, root: Part) {
    this.literals = literals
    this.holes = holes
    this.root = root
  }

  read(text: string): unknown {
    return this.matches(text) ? this.fill(this.root) : undefined
  }

  readHole(text: string, hole: number): string | number | undefined {
    return this.matches(text) ? this.values[hole] : undefined
  }

  private matches(text: string): boolean {
    const { holes, literals, values } = this
    const first = literals[0]!
    if (!standsAt(text, first, 0)) return false
    this.at = first.length
    for (let index = 0; index < holes.length; index++) {
      const value = holes[index]!.kind === "string" ? this.string(text) : this.number(text)
      const literal = literals[index + 1]!
      if (value === undefined || !standsAt(text, literal, this.at)) return false
      this.at += literal.length
      values[index] = value
    }
    return this.at === text.length
  }

  private string(text: string): string | undefined {
    const from = this.at
    const end = stringEnd(text, from)
    if (end < 0) return undefined
    this.at = end
    const value = text.slice(from, end)
    if (plain.test(value)) return value
    // JSON.parse is the one judge of JSON, and says no by throwing.
    try {
      return JSON.parse(text.slice(from - 1, end + 1)) as string // what stands in quotes
    } catch {
      return undefined
    }
  }

  private number(text: string): number | undefined {
    number.lastIndex = this.at
    const found = number.exec(text)
    if (found === null) return undefined
    this.at = number.lastIndex
    const value = Number(found[0])
    // What a number does not hold is kept as it is written by who parses the whole document.
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : value
  }

  private fill({ container, holes, parts }: Part): Container {
    const filled = copyOf(container)
    for (let index = 0; index < holes.length; index++) filled[holes[index]![0]] = this.values[holes[index]![1]]
    for (let index = 0; index < parts.length; index++) filled[parts[index]![0]] = this.fill(parts[index]![1])
    return filled
  }
}

const copyOf = (container: Container): { [key: string | number]: unknown } =>
  // A list is written by key as an object is, which its type does not say.
  Array.isArray(container) ? (container.slice() as never) : { ...container }

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null

const partOf = (container: Container): Part => ({ container, parts: [], holes: [] })

/** The part of the document that a hole is in. The parts on the way to it are made where they are not there yet. */
const partAt = (root: Part, path: Hole["path"]): Part => {
  let part = root
  for (const key of path.slice(0, -1)) {
    const known = part.parts.find(([name]) => name === key)?.[1]
    // The path was walked in the text that the document was parsed from.
    const next = known ?? partOf((part.container as { readonly [key: string | number]: Container })[key]!)
    if (known === undefined) part.parts.push([key, next])
    part = next
  }
  return part
}

const keyCount = (value: unknown): number => {
  if (!isContainer(value)) return 0
  const own = Array.isArray(value) ? 0 : Object.keys(value).length
  return Object.values(value).reduce<number>((sum, inner) => sum + keyCount(inner), own)
}

/**
 * The template of two documents, `value` being what the second one says; undefined where they differ in anything but
 * strings and numbers, or hardly have anything in common. What an `earlier` one knew to differ may differ here too, although
 * these two happen to agree in it.
 */
export const templateOf = (
  first: string,
  second: string,
  value: unknown,
  earlier?: JsonTemplate
): JsonTemplate | undefined => {
  if (!isContainer(value)) return undefined
  const walk = new Comparison(first, second, earlier?.holes)
  // A key that an object has twice has one value only.
  if (!walk.run() || walk.holes.length === 0 || walk.keys !== keyCount(value)) return undefined
  const root = partOf(value)
  walk.holes.forEach(({ path }, index) => partAt(root, path).holes.push([path.at(-1)!, index]))
  return new Template(walk.literals, walk.holes, root)
}

/** Where in a document the comparison is: in an object, or in a list. */
interface Level {
  readonly keyed: boolean
  /** the key of an object as it stands in the document, read when somebody asks; the place in a list */
  key: string | number
  keyRead: boolean
  expectsKey: boolean
}

/** Goes through two documents, which are both valid, side by side, as long as they agree in all but strings and numbers. */
class Comparison {
  private readonly first: string
  private readonly second: string
  private readonly differing: ReadonlyArray<Hole>
  private readonly levels: Array<Level> = []
  private literalStart = 0
  readonly literals: Array<string> = []
  readonly holes: Array<Hole> = []
  keys = 0

  constructor(first: string, second: string, differing: ReadonlyArray<Hole> = []) {
    this.first = first
    this.second = second
    this.differing = differing
  }

  /** Whether they have the same template. */
  run(): boolean {
    const { first, second } = this
    let inFirst = 0
    let inSecond = 0
    while (inSecond < second.length) {
      const sign = second.charCodeAt(inSecond)
      const kind = kindAt(sign)
      if (kind === undefined) {
        if (first.charCodeAt(inFirst++) !== sign) return false
        inSecond++
        this.step(sign)
      } else {
        if (kindAt(first.charCodeAt(inFirst)) !== kind) return false
        const firstEnd = valueEnd(first, inFirst, kind)
        const secondEnd = valueEnd(second, inSecond, kind)
        const same = first.slice(inFirst, firstEnd) === second.slice(inSecond, secondEnd)
        if (!this.value(kind, inSecond, secondEnd, same)) return false
        inFirst = firstEnd
        inSecond = secondEnd
      }
    }
    this.literals.push(second.slice(this.literalStart))
    return inFirst === first.length
  }

  private step(sign: number): void {
    const { levels } = this
    if (sign === brace || sign === bracket) {
      levels.push({ keyed: sign === brace, key: 0, keyRead: true, expectsKey: sign === brace })
    } else if (sign === closingBrace || sign === closingBracket) {
      levels.pop()
    } else if (sign === comma) {
      const level = levels.at(-1)
      if (level === undefined) return
      level.expectsKey = level.keyed
      if (typeof level.key === "number") level.key++
    }
  }

  /** Reads a key, or a value that may differ; false where two keys do. */
  private value(kind: Kind, start: number, end: number, same: boolean): boolean {
    const level = this.levels.at(-1)
    if (level?.expectsKey === true) {
      level.key = this.second.slice(start, end)
      level.keyRead = false
      level.expectsKey = false
      this.keys++
      return same
    }
    if (same && !this.differedBefore(kind)) return true
    const quote = kind === "string" ? 1 : 0
    this.literals.push(this.second.slice(this.literalStart, start + quote))
    this.literalStart = end - quote
    this.holes.push({ kind, path: this.levels.map(keyOf) })
    return true
  }

  private differedBefore(kind: Kind): boolean {
    const { levels } = this
    return this.differing.some(
      (hole) =>
        hole.kind === kind &&
        hole.path.length === levels.length &&
        levels.every((level, depth) => keyOf(level) === hole.path[depth])
    )
  }
}

const keyOf = (level: Level): string | number => {
  if (!level.keyRead) {
    level.key = JSON.parse(level.key as string) as string // a string, by its quotes
    level.keyRead = true
  }
  return level.key
}

/** What kind of value a character begins, of those that may differ. */
const kindAt = (sign: number): Kind | undefined =>
  sign === quotationMark ? "string" : sign === minus || (sign >= zero && sign <= nine) ? "number" : undefined

/** The index behind the value that begins at `from`. */
const valueEnd = (text: string, from: number, kind: Kind): number => {
  if (kind === "string") return stringEnd(text, from + 1) + 1
  number.lastIndex = from
  number.test(text)
  return number.lastIndex
}
