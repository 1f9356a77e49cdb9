import { Effect, type FileSystem, type Path as FilePath, Result, Schema } from "effect"
import { families, type LanguagePack } from "../signals/LanguagePack.ts"
import { patternFault } from "../signals/Pattern.ts"
import { decodeWith } from "./decode.ts"
import { readNamed } from "./named-file.ts"
import type { Finding } from "./problems.ts"
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
    const read = yield* Effect.result(readNamed(file, decode))
    // The keys are families: the Schema was made of them.
    if (Result.isSuccess(read)) packs.push(read.success as LanguagePack)
    else findings.push({ path: ["signals", "packs", index], message: read.failure })
  }
  return findings.length > 0 ? Result.fail(findings) : Result.succeed(packs)
})
