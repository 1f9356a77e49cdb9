import { Effect, FileSystem, type PlatformError, Result, Schema, Stream } from "effect"
import { type ChainBreak, ChainFold, type Verification } from "./ChainFold.ts"
import { hashField, hashOfLine } from "./JsonlSink.ts"

const Line = Schema.Struct({
  writer: Schema.String,
  link: Schema.Int,
  previous: Schema.String,
  id: Schema.String,
  hash: Schema.String
})
const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line))

/** The files of a sink, the oldest first: `<path>.2`, `<path>.1`, `<path>`. */
const filesOf = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const found = [path]
  for (let number = 1; yield* files.exists(`${path}.${number}`); number++) found.unshift(`${path}.${number}`)
  return found
})

class LineCheck {
  readonly #fold = new ChainFold()
  readonly #known = new Set<string>()
  readonly #truncated: Array<{ readonly owner: string; readonly link: number }> = []
  /** Lines that stand at the beginning of what there is: there chains may begin in their middle. */
  #isBeginning = true
  #records = 0
  #broken: ChainBreak | undefined

  report(): Verification {
    const { owners } = this.#fold
    return {
      records: this.#records,
      chains: owners.length,
      unlinked: 0,
      truncated: this.#truncated,
      broken: this.#broken
    }
  }

  /** Takes the next line; false where it breaks a chain. */
  take(text: string): boolean {
    if (this.#broken !== undefined) return false
    this.#records++
    const line = decodeLine(text)
    if (Result.isFailure(line)) {
      const message = `line ${this.#records} is not one that was written`
      this.#broken = { kind: "changed", owner: "", link: 0, id: undefined, message }
      return false
    }
    const { hash, id, link: number, previous, writer } = line.success
    if (!this.#known.has(writer)) this.#begin(writer, number, previous)
    const beginning = text.slice(0, text.lastIndexOf(hashField))
    this.#broken = this.#fold.follow({ owner: writer, id, link: { number, hash } }, (head) =>
      head.hash === previous ? hashOfLine(beginning) : ""
    )
    return this.#broken === undefined
  }

  /** A chain of which the files that held its first lines are gone begins with what the first line knows of them. */
  #begin(writer: string, number: number, previous: string): void {
    this.#known.add(writer)
    if (this.#known.size > 1) this.#isBeginning = false
    if (!this.#isBeginning || number <= 1) return
    this.#truncated.push({ owner: writer, link: number - 1 })
    this.#fold.begin(writer, { number: number - 1, hash: previous })
  }
}

/**
 * Proves the lines of a sink, set aside files included, or names the first that is not as it was written.
 *
 * Gotcha: lines that were cut off at the end leave no trace in the files; the database has those records.
 */
export const verifyLines: (
  path: string
) => Effect.Effect<Verification, PlatformError.PlatformError, FileSystem.FileSystem> = Effect.fnUntraced(function* (
  path: string
) {
  const files = yield* FileSystem.FileSystem
  const check = new LineCheck()
  for (const file of yield* filesOf(path)) {
    yield* files.stream(file).pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.filter((line) => line !== ""),
      Stream.takeWhile((line) => check.take(line)),
      Stream.runDrain
    )
  }
  return check.report()
})
