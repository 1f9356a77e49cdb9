import { Effect, FileSystem, Path as FilePath, type Result } from "effect"
import { parse, type Parsed } from "./parse.ts"
import { type Finding, formatPath, type Path } from "./problems.ts"
import { formatOf } from "./source.ts"

/** Reads a file that a document names, of any format that documents have; fails with what is to be said of it. */
export const readNamed = Effect.fnUntraced(function* <A>(
  file: string,
  decode: (value: unknown, written: unknown) => Result.Result<A, ReadonlyArray<Finding>>
): Effect.fn.Return<A, string, FileSystem.FileSystem | FilePath.Path> {
  const format = formatOf((yield* FilePath.Path).extname(file))
  if (format === undefined) {
    return yield* Effect.fail("names a file of no known format; name it .yaml, .json or .toml")
  }
  const files = yield* FileSystem.FileSystem
  const text = yield* Effect.mapError(
    files.readFileString(file),
    ({ reason }) => `names a file that ${reason._tag === "NotFound" ? "is not there" : "cannot be read"}; mend the path`
  )
  const parsed = yield* Effect.mapError(Effect.fromResult(parse(format, text)), (faults) => {
    const said = faults.map(({ message, position }) => `line ${position?.line ?? 1}: ${message}`)
    return `names a file that is not ${format.toUpperCase()}: ${said.join("; ")}`
  })
  return yield* Effect.mapError(Effect.fromResult(decode(parsed.value, parsed.value)), (wrong) => {
    const said = wrong.map(({ message, path }) => `${place(parsed, path)}${formatPath(path)}: ${message}`)
    return `names a file with mistakes in it: ${said.join("; ")}`
  })
})

const place = ({ locate }: Parsed, path: Path): string => {
  const at = locate(path)
  return at === undefined ? "" : `line ${at.line}: `
}
