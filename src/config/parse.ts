import { Result } from "effect"
import { Toml } from "effect/encoding"
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from "yaml"
import type { Path, Position } from "./problems.ts"
import { isSection } from "./substitute.ts"
import { tomlPlaces } from "./toml-places.ts"

/** The formats of a configuration document. */
export type Format = "yaml" | "json" | "toml"

/** A document as plain data, and where its parts stand. */
export interface Parsed {
  readonly value: unknown
  /** The place of a path's last key or list element, or of the longest part of the path that the document has. */
  readonly locate: (path: Path) => Position | undefined
}

/** Why a text is not a document of its format. */
export interface SyntaxFault {
  readonly message: string
  readonly position: Position | undefined
}

/** Reads a text as data, or says everything that keeps it from being read. */
export const parse = (format: Format, text: string): Result.Result<Parsed, ReadonlyArray<SyntaxFault>> => {
  switch (format) {
    case "yaml":
      return parseYaml(text)
    case "json":
      // JSON is YAML, which knows lines and notices keys that stand twice; but not all YAML is JSON.
      return Result.flatMap(strictJson(text), () => parseYaml(text))
    case "toml":
      return parseToml(text)
  }
}

const parseYaml = (text: string): Result.Result<Parsed, ReadonlyArray<SyntaxFault>> => {
  const lines = new LineCounter()
  // Sets, binary data and other values that only a tag can make are nothing that a setting could be.
  const options = { prettyErrors: false, merge: true, resolveKnownTags: false, logLevel: "error" } as const
  const document = parseDocument(text, { ...options, lineCounter: lines })
  const errors = [...document.errors, ...document.warnings].map(({ code, message, pos: [offset] }) => ({
    message: inPlainWords[code] ?? message,
    offset
  }))
  const faults = errors.length > 0 ? errors : misuses(document)
  if (faults.length > 0) {
    return Result.fail(faults.map(({ message, offset }) => ({ message, position: positionOf(lines, offset) })))
  }
  const locate = (path: Path) => {
    const offset = offsetOf(document.contents, path)
    return offset === undefined ? undefined : positionOf(lines, offset)
  }
  return Result.try({
    try: () => ({ value: document.toJS() as unknown, locate }),
    catch: () => [{ message: "its aliases (*) multiply beyond reason; write out what they mean", position: undefined }]
  })
}

/** What the parser's own words do not tell whoever wrote the file. */
const inPlainWords: { readonly [code: string]: string } = {
  BAD_ALIAS: 'a * that stands for nothing said before is a text, and has to be quoted: "*"',
  DUPLICATE_KEY: "this key stands in its section already; keep one of them",
  MULTIPLE_DOCS: "a second document begins here; keep one of them",
  RESOURCE_EXHAUSTION: "it is nested too deeply",
  TAB_AS_INDENT: "a line is indented by a tab; use spaces",
  TAG_RESOLVE_FAILED: "a tag (!) means nothing here; remove it, or quote the text"
}

interface Misuse {
  readonly message: string
  readonly offset: number
}

/** What is YAML, and no document: keys that are no texts, aliases of nothing, and of what they are a part of. */
const misuses = (document: Document): ReadonlyArray<Misuse> => {
  const found: Array<Misuse> = []
  const refuse = (node: Node, message: string) => found.push({ message, offset: node.range?.[0] ?? 0 })
  visit(document, {
    Alias: (_, alias, parents) => {
      const meant = alias.resolve(document)
      if (meant === undefined) refuse(alias, `there is no &${alias.source} before it; mend the name`)
      else if (parents.includes(meant)) refuse(alias, `*${alias.source} is a part of what it stands for; remove it`)
    },
    Pair: (_, { key }) => {
      // A document that was parsed is made of nodes.
      if (!isScalar(key)) refuse(key as Node, "this is no key; write a text")
    }
  })
  return found
}

const positionOf = (lines: LineCounter, offset: number): Position => {
  const { line, col } = lines.linePos(offset)
  return { line, column: col }
}

const offsetOf = (root: Node | null, path: Path): number | undefined => {
  let node: unknown = root
  let offset = root?.range?.[0]
  for (const segment of path) {
    if (isSeq(node) && typeof segment === "number") {
      node = node.items[segment]
      offset = (node as Node | undefined)?.range?.[0] ?? offset
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : key) === segment)
      node = pair?.value
      offset = (pair?.key as Node | undefined)?.range?.[0] ?? offset
    } else return offset
  }
  return offset
}

const strictJson = (text: string): Result.Result<unknown, ReadonlyArray<SyntaxFault>> =>
  Result.try({
    try: () => JSON.parse(text) as unknown,
    catch: (cause) => {
      const message = cause instanceof Error ? cause.message : String(cause)
      const at = / at position (\d+)/.exec(message)?.[1]
      const before = text.slice(0, at === undefined ? text.length : Number(at)).split("\n")
      return [
        {
          message: message.replace(/ (in JSON )?at position.*$/s, ""),
          position: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
        }
      ]
    }
  })

const parseToml = (text: string): Result.Result<Parsed, ReadonlyArray<SyntaxFault>> =>
  Result.mapBoth(Toml.parse(text), {
    onSuccess: (value) => ({ value: withWrittenTimes(value), locate: tomlPlaces(text) }),
    onFailure: ({ message }) => {
      const [, line, column] = / at line (\d+), column (\d+)/.exec(message) ?? []
      return [
        {
          message: message.replace(/ at line \d+, column \d+.*$/s, ""),
          position: line === undefined ? undefined : { line: Number(line), column: Number(column) }
        }
      ]
    }
  })

/** TOML has times of its own, which other formats write as texts. */
const withWrittenTimes = (value: unknown): unknown => {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(withWrittenTimes)
  return isSection(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withWrittenTimes(inner)]))
    : value
}
