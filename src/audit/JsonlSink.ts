import { Effect, FileSystem, Layer, Option, type PlatformError, type Scope } from "effect"
import { hash, randomBytes } from "node:crypto"
import { dirname } from "node:path"
import { type AuditSink, AuditSinkError, AuditSinks } from "./AuditSink.ts"
import type { AuditRow } from "./AuditStore.ts"

/** Where the lines go. */
export interface JsonlOptions {
  /** The file of the newest records; one process writes it. Its folders are made. */
  readonly path: string
  /** A file that has so many bytes is set aside as `<path>.1`, and that one as `<path>.2` and so on. Default 100 MiB. */
  readonly maxBytes?: number
  /** How many files are set aside; the oldest goes. Default 10. */
  readonly keep?: number
}

/** What follows in a line after everything that its hash vouches for. */
export const hashField = ',"hash":"'

/** The hash of a line that begins like this; the hash of the line before it is part of the beginning. */
export const hashOfLine = (beginning: string): string => hash("sha256", beginning, "hex")

const lineOf = (writer: string, link: number, previous: string, row: AuditRow): { text: string; hash: string } => {
  const [at, payload] = row._tag === "Opened" ? [row.openedAt, row.request] : [row.endedAt, row.response]
  const head = JSON.stringify({ writer, link, previous, kind: row._tag, id: row.id, owner: row.owner, at }).slice(0, -1)
  const beginning = `${head},"record":${row.body},"content":${payload ?? "null"}`.replaceAll(/[\r\n]/g, " ")
  const sum = hashOfLine(beginning)
  return { text: `${beginning}${hashField}${sum}"}\n`, hash: sum }
}

type Failure = PlatformError.PlatformError

const orMissing = <A>(effect: Effect.Effect<A, Failure>): Effect.Effect<A | undefined, Failure> =>
  Effect.catchIf(
    effect,
    ({ reason }) => reason._tag === "NotFound",
    () => Effect.undefined
  )

/** The standard output may be a file, which is somebody else's, and which no other name leads to. */
const ofSystem = /^\/(dev|proc)\//

const newline = 10
const piece = 64 * 1024

/** A process that died while it wrote has left half a line, without a record. The database has what it was to say. */
const cutHalfLine = Effect.fnUntraced(function* (file: FileSystem.File): Effect.fn.Return<void, Failure> {
  const size = Number((yield* file.stat).size)
  for (let end = size; end > 0; end -= piece) {
    const begin = Math.max(0, end - piece)
    yield* file.seek(BigInt(begin), "start")
    const read = Option.getOrElse(yield* file.readAlloc(end - begin), () => new Uint8Array())
    const last = read.lastIndexOf(newline)
    if (last < 0 && begin > 0) continue
    if (begin + last + 1 < size) yield* file.truncate(begin + last + 1)
    return
  }
})

class JsonlFile {
  readonly #files: FileSystem.FileSystem
  readonly #path: string
  readonly #maxBytes: number
  readonly #keep: number
  /** Names the chain of this process in a file that others have written before it. */
  readonly #writer = randomBytes(12).toString("hex")
  #link = 0
  #hash = ""

  constructor(files: FileSystem.FileSystem, { keep = 10, maxBytes = 100 * 1024 * 1024, path }: JsonlOptions) {
    this.#files = files
    this.#path = path
    this.#maxBytes = maxBytes
    this.#keep = keep
  }

  write(rows: ReadonlyArray<AuditRow>): Effect.Effect<void, Failure> {
    let link = this.#link
    let previous = this.#hash
    const lines = rows.map((row) => {
      const line = lineOf(this.#writer, ++link, previous, row)
      previous = line.hash
      return line.text
    })
    return this.#makeRoom().pipe(
      Effect.andThen(Effect.scoped(this.#append(new TextEncoder().encode(lines.join(""))))),
      Effect.tap(() => {
        this.#link = link
        this.#hash = previous
        return Effect.void
      })
    )
  }

  /** All of the bytes or none: half a line would be in the way of those that follow it. */
  #append(bytes: Uint8Array): Effect.Effect<void, Failure, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const file = yield* this.#files.open(this.#path, { flag: "a+", mode: 0o600 })
      const isOwn = !ofSystem.test(this.#path)
      if (this.#link === 0 && isOwn) yield* cutHalfLine(file)
      const { size, type } = yield* file.stat
      // pipes, devices and the standard output cannot be flushed or are somebody else's, and what they were given stays
      if (type !== "File" || !isOwn) return yield* file.writeAll(bytes)
      yield* Effect.onError(Effect.andThen(file.writeAll(bytes), file.sync), () =>
        Effect.ignore(file.truncate(Number(size)))
      )
    })
  }

  #makeRoom(): Effect.Effect<void, Failure> {
    const numbered = (number: number) => (number === 0 ? this.#path : `${this.#path}.${number}`)
    return Effect.gen({ self: this }, function* () {
      // what is stored is what people wrote: folders made for it are their owner's
      yield* this.#files.makeDirectory(dirname(this.#path), { recursive: true, mode: 0o700 })
      const found = yield* orMissing(this.#files.stat(this.#path))
      if (found === undefined || found.size < this.#maxBytes || ofSystem.test(this.#path)) return
      // more than one where fewer are kept than before
      for (let number = this.#keep; yield* this.#files.exists(numbered(number)); number++) {
        yield* this.#files.remove(numbered(number), { force: true })
      }
      for (let number = this.#keep - 1; number >= 0; number--) {
        yield* orMissing(this.#files.rename(numbered(number), numbered(number + 1)))
      }
    })
  }
}

/** A sink that writes a line of JSON for every record, each with a hash over itself and the line before it. */
export const make = (options: JsonlOptions): Effect.Effect<AuditSink, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (files) => {
    const file = new JsonlFile(files, options)
    // the system says best what is wrong: that the disk is full
    const failed = ({ message, reason: { cause } }: Failure) =>
      new AuditSinkError({ message: cause instanceof Error ? cause.message : message })
    return { name: options.path, write: (rows) => Effect.mapError(file.write(rows), failed) }
  })

/** Writes records to files of lines too. */
export const layer = (options: JsonlOptions): Layer.Layer<never, never, FileSystem.FileSystem> =>
  Layer.effect(
    AuditSinks,
    Effect.gen(function* () {
      return [...(yield* AuditSinks), yield* make(options)]
    })
  )
