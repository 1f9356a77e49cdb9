/** Documents that are the same but for some of their strings and numbers. */
export interface JsonTemplate {
  /** What `JSON.parse` makes of `text`; undefined where that is not such a document, or none at all. */
  readonly read: (text: string) => unknown
  /** where the values are that differ, each as `placeOf` writes it */
  readonly places: ReadonlySet<string>
}

type Kind = "string" | "number"
type Container = { readonly [key: string]: unknown } | ReadonlyArray<unknown>

/** A value that differs, and where it is. */
interface Hole {
  readonly kind: Kind
  readonly path: ReadonlyArray<string | number>
}

const placeOf = (path: Hole["path"]): string => JSON.stringify(path)

/** A part of the document on the way to values that differ: it is made anew, the others are not. */
interface Part {
  readonly container: Container
  readonly parts: Array<readonly [key: string | number, part: Part]>
  /** the values in it that differ: at which key, and the number of the hole */
  readonly holes: Array<readonly [key: string | number, hole: number]>
}

const backslash = 92
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
  private readonly kinds: ReadonlyArray<Kind>
  private readonly root: Part
  readonly places: ReadonlySet<string>
  private readonly values: Array<string | number> = []
  /** where the reading is */
  private at = 0

  constructor(literals: ReadonlyArray<string>, holes: ReadonlyArray<Hole>, root: Part) {
    this.literals = literals
    this.kinds = holes.map(({ kind }) => kind)
    this.places = new Set(holes.map(({ path }) => placeOf(path)))
    this.root = root
  }

  read(text: string): unknown {
    const { kinds, literals, values } = this
    const first = literals[0]!
    if (!standsAt(text, first, 0)) return undefined
    this.at = first.length
    for (let index = 0; index < kinds.length; index++) {
      const value = kinds[index] === "string" ? this.string(text) : this.number(text)
      const literal = literals[index + 1]!
      if (value === undefined || !standsAt(text, literal, this.at)) return undefined
      this.at += literal.length
      values[index] = value
    }
    return this.at === text.length ? this.fill(this.root) : undefined
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
  const walk = new Comparison(first, second, earlier?.places)
  // A key that an object has twice has one value only.
  if (!walk.run() || walk.holes.length === 0 || walk.keys !== keyCount(value)) return undefined
  const root = partOf(value)
  walk.holes.forEach(({ path }, index) => partAt(root, path).holes.push([path.at(-1)!, index]))
  return new Template(walk.literals, walk.holes, root)
}

/** a token of a document with the space before it */
const token = /(\s*)([{}[\],:]|"[^"\\]*(?:\\.[^"\\]*)*"|[^\s{}[\],:"]+)/y

const tokenAt = (text: string, at: number): readonly [space: string, token: string] | undefined => {
  token.lastIndex = at
  const found = token.exec(text)
  return found === null ? undefined : [found[1]!, found[2]!]
}

const kindOf = (token: string): Kind | undefined =>
  token.startsWith('"') ? "string" : /^[-\d]/.test(token) ? "number" : undefined

/** Where in a document the comparison is: in an object, or in a list. */
interface Level {
  readonly keyed: boolean
  key: string | number
  expectsKey: boolean
}

/** Goes through two documents, which are both valid, token by token. */
class Comparison {
  private readonly first: string
  private readonly second: string
  private readonly differing: ReadonlySet<string>
  private readonly levels: Array<Level> = []
  private literalStart = 0
  readonly literals: Array<string> = []
  readonly holes: Array<Hole> = []
  keys = 0

  constructor(first: string, second: string, differing: ReadonlySet<string> = new Set()) {
    this.first = first
    this.second = second
    this.differing = differing
  }

  /** Whether they have the same template. */
  run(): boolean {
    let inFirst = 0
    let inSecond = 0
    for (;;) {
      const one = tokenAt(this.first, inFirst)
      const other = tokenAt(this.second, inSecond)
      if (one === undefined || other === undefined) {
        this.literals.push(this.second.slice(this.literalStart))
        return this.first.slice(inFirst) === this.second.slice(inSecond)
      }
      const start = inSecond + other[0].length
      if (one[0] !== other[0] || !this.step(one[1], other[1], start)) return false
      inFirst += one[0].length + one[1].length
      inSecond = start + other[1].length
    }
  }

  private step(one: string, other: string, start: number): boolean {
    const level = this.levels.at(-1)
    if (level?.keyed === true && level.expectsKey && other.startsWith('"')) return this.readKey(level, one, other)
    if (one !== other || this.differedBefore(other)) return this.differ(one, other, start)
    if (other === "{" || other === "[") this.levels.push({ keyed: other === "{", key: 0, expectsKey: true })
    else if (other === "}" || other === "]") this.levels.pop()
    else if (other === "," && level !== undefined) this.next(level)
    return true
  }

  private next(level: Level): void {
    level.expectsKey = true
    if (typeof level.key === "number") level.key++
  }

  private readKey(level: Level, one: string, other: string): boolean {
    level.key = JSON.parse(other) as string // a string, by its quote
    level.expectsKey = false
    this.keys++
    return one === other
  }

  private differedBefore(value: string): boolean {
    return this.differing.size > 0 && kindOf(value) !== undefined && this.differing.has(placeOf(this.path()))
  }

  private path(): Hole["path"] {
    return this.levels.map(({ key }) => key)
  }

  private differ(one: string, other: string, start: number): boolean {
    const kind = kindOf(other)
    if (kind === undefined || kind !== kindOf(one)) return false
    const quote = kind === "string" ? 1 : 0
    this.literals.push(this.second.slice(this.literalStart, start + quote))
    this.literalStart = start + other.length - quote
    this.holes.push({ kind, path: this.path() })
    return true
  }
}
