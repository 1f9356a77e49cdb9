import { Effect, FileSystem, Path as FilePath } from "effect"
import { parse, type Format, type Parsed } from "./parse.ts"
import { ConfigurationError, type Problem } from "./problems.ts"
import { isSection } from "./substitute.ts"

/** A configuration document as it was found; `file` is undefined where there is none, which is as good as an empty one. */
export interface Source {
  readonly file: string | undefined
  readonly value: unknown
  readonly locate: Parsed["locate"]
  readonly warnings: ReadonlyArray<Problem>
}

const none: Source = { file: undefined, value: {}, locate: () => undefined, warnings: [] }

const usualNames = ["millrace.yaml", "millrace.yml", "millrace.json", "millrace.toml"]

const formats: { readonly [extension: string]: Format } = {
  ".yaml": "yaml",
  ".yml": "yaml",
  ".json": "json",
  ".toml": "toml"
}

/** The format of a file by its name's extension, such as `.yaml`; undefined where it is none that is read. */
export const formatOf = (extension: string): Format | undefined => formats[extension.toLowerCase()]

const refuse = (problem: Problem) => new ConfigurationError({ problems: [problem] })

/** Finds and reads the document: the file of the flag, else of the variable, else one of the usual names. */
export const readSource = Effect.fnUntraced(function* (
  flag: string | undefined,
  variable: string | undefined
): Effect.fn.Return<Source, ConfigurationError, FileSystem.FileSystem | FilePath.Path> {
  const named = flag ?? variable
  if (named !== undefined) return yield* readFile(named, flag === undefined ? "MILLRACE_CONFIG" : "--config")
  const files = yield* FileSystem.FileSystem
  const found = yield* Effect.filter(usualNames, (name) => Effect.orElseSucceed(files.exists(name), () => false))
  const [first, ...others] = found
  if (first === undefined) return none
  const source = yield* readFile(first, "")
  const warnings = others.map((file) => ({
    file,
    path: "",
    message: `is not read, because there is ${first}; remove one`
  }))
  return { ...source, warnings }
})

const readFile = Effect.fnUntraced(function* (file: string, namedBy: string) {
  const files = yield* FileSystem.FileSystem
  const format = formatOf((yield* FilePath.Path).extname(file))
  if (format === undefined) {
    return yield* refuse({ file, path: namedBy, message: "has no known format; name it .yaml, .json or .toml" })
  }
  const bytes = yield* Effect.mapError(files.readFile(file), ({ reason }) =>
    refuse({
      file,
      path: namedBy,
      message:
        reason._tag === "NotFound"
          ? "there is no such file; mend the path, or leave it out to run with the defaults"
          : `the file cannot be read (${reason._tag}); check what it is and whether it may be read`
    })
  )
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => refuse({ file, path: namedBy, message: "the file is not UTF-8; save it as UTF-8" })
  })
  const parsed = yield* Effect.mapError(
    Effect.fromResult(parse(format, text)),
    (faults) =>
      new ConfigurationError({
        problems: faults.map(({ message, position }) => ({
          file,
          ...position,
          path: "",
          message: `this cannot be read as ${format.toUpperCase()}: ${message}`
        }))
      })
  )
  return {
    file,
    value: withoutEmptySections(parsed.value),
    locate: parsed.locate,
    warnings: []
  } satisfies Source
})

/** A section of which all lines are commented out is `null` in YAML, and means as much as no section. */
const withoutEmptySections = (value: unknown): unknown => {
  if (value === null || value === undefined) return {}
  return isSection(value) ? Object.fromEntries(Object.entries(value).filter(([, section]) => section !== null)) : value
}
