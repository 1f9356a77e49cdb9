import { Effect, FileSystem, Path as FilePath, Result, Schema } from "effect"
import { families, type LanguagePack } from "../signals/LanguagePack.ts"
import { patternFault } from "../signals/Pattern.ts"
import { decodeWith } from "./decode.ts"
import { type Parsed, parse } from "./parse.ts"
import { type Finding, formatPath, type Path } from "./problems.ts"
import { formatOf } from "./source.ts"
import { field } from "./substitute.ts"

const pattern = Schema.String.annotate({ message: "Expected a text" }).check(
  Schema.makeFilter((text) => {
    const fault = patternFault(text)
    return fault === undefined ? true : `the pattern ${JSON.stringify(text)} ${fault}`
  })
)

const language = "the name of a language, such as pt"

/** A file of patterns, as users write it. */
const PackFile = Schema.Struct({
  language: Schema.String.annotate({ message: `Expected ${language}` }).check(
    Schema.isMinLength(1, { message: `Expected ${language}` })
  ),
  patterns: Schema.Struct(
    Object.fromEntries(families.map((family) => [family, Schema.optionalKey(Schema.Array(pattern))]))
  ),
  stopWords: Schema.optionalKey(Schema.Array(Schema.String))
})

const decode = decodeWith(PackFile)

/** Reads the files of patterns that a document names, or says what is wrong with each. */
export const readPacks = Effect.fnUntraced(function* (
  document: unknown
): Effect.fn.Return<
  Result.Result<ReadonlyArray<LanguagePack>, ReadonlyArray<Finding>>,
  never,
  FileSystem.FileSystem | FilePath.Path
> {
  const named = field(document, "signals", "packs")
  // What is no list of texts is found with the rest of the document.
  const files = Array.isArray(named) ? named : []
  const packs: Array<LanguagePack> = []
  const findings: Array<Finding> = []
  for (const [index, file] of files.entries()) {
    if (typeof file !== "string" || file === "") continue
    const read = yield* Effect.result(readPack(file))
    if (Result.isSuccess(read)) packs.push(read.success)
    else findings.push({ path: ["signals", "packs", index], message: read.failure })
  }
  return findings.length > 0 ? Result.fail(findings) : Result.succeed(packs)
})

const readPack = Effect.fnUntraced(function* (
  file: string
): Effect.fn.Return<LanguagePack, string, FileSystem.FileSystem | FilePath.Path> {
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
  const pack = yield* Effect.mapError(Effect.fromResult(decode(parsed.value, parsed.value)), (wrong) => {
    const said = wrong.map(({ message, path }) => `${place(parsed, path)}${formatPath(path)}: ${message}`)
    return `names a file with mistakes in it: ${said.join("; ")}`
  })
  // the keys are families: the Schema was made of them
  return pack as LanguagePack
})

const place = ({ locate }: Parsed, path: Path): string => {
  const at = locate(path)
  return at === undefined ? "" : `line ${at.line}: `
}
