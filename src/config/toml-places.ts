import type { Path, Position } from "./problems.ts"

const keySegment = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*/y

/** Reads a dotted key from `from` on; `end` is where it stops. */
const readKey = (line: string, from: number): { readonly key: ReadonlyArray<string>; readonly end: number } => {
  const key: Array<string> = []
  let end = from
  for (;;) {
    keySegment.lastIndex = end
    const match = keySegment.exec(line)
    if (match === null) return { key, end }
    key.push(match[1] ?? match[2] ?? match[3] ?? "")
    end = keySegment.lastIndex
    if (line[end] !== ".") return { key, end }
    end++
  }
}

const nameOf = (path: Path): string => JSON.stringify(path)

/**
 * Where the keys of a TOML document stand. The parser tells no places, so this reads headers and the keys that begin a
 * line; what stands within a line (inline tables, lists) has the place of the key of that line. The document is known to
 * be well-formed.
 */
export const tomlPlaces = (text: string): ((path: Path) => Position | undefined) => {
  const places = new Map<string, Position>()
  const tables = new Map<string, number>()
  let header: Path = []
  let quote: string | undefined

  /** The path that a header or key means: a list of tables is at its latest element. */
  const resolve = (base: Path, key: ReadonlyArray<string>, position: Position): Path => {
    let path = base
    for (const segment of key) {
      path = [...path, segment]
      if (!places.has(nameOf(path))) places.set(nameOf(path), position)
      const count = tables.get(nameOf(path))
      if (count !== undefined) path = [...path, count - 1]
    }
    return path
  }

  for (const [index, line] of text.split("\n").entries()) {
    const column = line.length - line.trimStart().length
    const position = { line: index + 1, column: column + 1 }
    if (quote === undefined && line.startsWith("[[", column)) {
      const { key } = readKey(line, column + 2)
      const path = [...resolve([], key.slice(0, -1), position), ...key.slice(-1)]
      const count = tables.get(nameOf(path)) ?? 0
      tables.set(nameOf(path), count + 1)
      if (!places.has(nameOf(path))) places.set(nameOf(path), position)
      header = [...path, count]
      places.set(nameOf(header), position)
    } else if (quote === undefined && line.startsWith("[", column)) {
      header = resolve([], readKey(line, column + 1).key, position)
    } else if (quote === undefined) {
      const { key, end } = readKey(line, column)
      if (key.length > 0 && line[end] === "=") resolve(header, key, position)
    }
    quote = openQuote(line, quote)
  }

  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const place = places.get(nameOf(path.slice(0, length)))
      if (place !== undefined) return place
    }
    return undefined
  }
}

const multiline = new Set(['"""', "'''"])

/** The sign of a text over several lines that is open at the end of this line. */
const openQuote = (line: string, open: string | undefined): string | undefined => {
  let quote = open
  // Texts on one line are passed over, and what follows a #.
  for (const [sign] of line.matchAll(quote === undefined ? /"""|'''|"(?:[^"\\]|\\.)*"|'[^']*'|#.*/g : /"""|'''/g)) {
    if (!multiline.has(sign)) continue
    quote = quote === undefined ? sign : quote === sign ? undefined : quote
  }
  return quote
}
