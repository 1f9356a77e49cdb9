import { Result } from "effect"
import { Toml } from "effect/encoding"
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml"
import type { Path, Position } from "./problems.ts"
import { tomlPlaces } from "./toml-places.ts"

/** The formats of a configuration document. */
export type Format = "yaml" | "json" | "toml"

/** A document as plain data, and where its parts stand. */
export interface Parsed {
  readonly value: unknown
  /** The place of a path's last key or list element, or of the longest part of the path that the document has. */
  readonly locate: (path: Path) => Position | undefined
  readonly warnings: ReadonlyArray<SyntaxFault>
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
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const fault = ({ message, pos }: { readonly message: string; readonly pos: readonly [number, number] }) => ({
    message,
    position: positionOf(lines, pos[0])
  })
  if (document.errors.length > 0) return Result.fail(document.errors.map(fault))
  const locate = (path: Path) => {
    const offset = offsetOf(document.contents, path)
    return offset === undefined ? undefined : positionOf(lines, offset)
  }
  return Result.try({
    // Resolving aliases throws where they multiply beyond reason.
    try: () => ({ value: document.toJS() as unknown, locate, warnings: document.warnings.map(fault) }),
    catch: (cause) => [{ message: cause instanceof Error ? cause.message : String(cause), position: undefined }]
  })
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
    onSuccess: (value) => ({ value, locate: tomlPlaces(text), warnings: [] }),
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
