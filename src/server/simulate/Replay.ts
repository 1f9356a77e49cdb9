import { Effect, FileSystem, Option, Schema } from "effect"
import type { Delivery } from "../../domain/LlmRequest.ts"
import { framingOf } from "./Framing.ts"
import type { Recording } from "./Recording.ts"
import { SimulateError } from "./SimulateError.ts"

/** What every model of recorded answers begins with. */
export const replayPrefix = "replay/"

/** What a recording says about itself in `<name>.meta.json`; everything else there is not needed to replay it. */
const Meta = Schema.Struct({
  status: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 }))),
  content_type: Schema.optionalKey(Schema.NullOr(Schema.String))
})
const decodeMeta = Schema.decodeUnknownOption(Schema.fromJsonString(Meta))

const endings: ReadonlyArray<{ ending: string; delivery: Delivery; contentType: string }> = [
  { ending: ".sse", delivery: "stream", contentType: "text/event-stream; charset=utf-8" },
  { ending: ".ndjson", delivery: "stream", contentType: "application/x-ndjson" },
  { ending: ".jsonarray", delivery: "stream", contentType: "application/json" },
  { ending: ".eventstream", delivery: "stream", contentType: "application/vnd.amazon.eventstream" },
  { ending: ".json", delivery: "whole", contentType: "application/json" }
]

const besideBodies = [".meta.json", ".request.json"]

interface Case {
  readonly file: string
  readonly meta: string | undefined
  readonly delivery: Delivery
  readonly contentType: string
}

/** Recorded answers in a folder. */
export interface Replay {
  /** the names of the recordings: their paths in the folder without their endings */
  readonly names: ReadonlyArray<string>
  /**
   * The recording of a name, read anew each time; undefined where there is none. A name whose stream and whole answer
   * differ only by `.stream` may be given without it: the delivery decides.
   */
  readonly read: (name: string, delivery: Delivery) => Effect.Effect<Recording | undefined, SimulateError>
}

export const noReplay: Replay = { names: [], read: () => Effect.succeed(undefined) }

/**
 * Opens a folder of recordings: `<name>.stream.sse`, `<name>.json` and the like, in folders as deep as they go, each with
 * a `<name>.meta.json` beside it that may say `status` and `content_type`. Names are looked up among the files that were
 * there at the start, so that no name leads out of the folder.
 */
export const openReplay = Effect.fn("simulate.openReplay")(function* (folder: string) {
  const files = yield* FileSystem.FileSystem
  const unreadable = (path: string) => (cause: { readonly message: string }) =>
    new SimulateError({ message: `cannot read ${path}: ${cause.message}` })
  const listed = yield* files.readDirectory(folder, { recursive: true }).pipe(Effect.mapError(unreadable(folder)))
  const cases = casesOf(listed.map((path) => path.replaceAll("\\", "/")))

  const find = (name: string, delivery: Delivery): Case | undefined => {
    const stream = cases.get(`${name}.stream`)
    return delivery === "stream" ? (stream ?? cases.get(name)) : (cases.get(name) ?? stream)
  }
  const read = Effect.fnUntraced(function* (name: string, delivery: Delivery) {
    const found = find(name, delivery)
    if (found === undefined) return undefined
    const bytes = yield* files.readFile(`${folder}/${found.file}`).pipe(Effect.mapError(unreadable(found.file)))
    const text =
      found.meta === undefined
        ? "{}"
        : yield* files.readFileString(`${folder}/${found.meta}`).pipe(Effect.mapError(unreadable(found.meta)))
    const meta = Option.getOrElse(decodeMeta(text), (): typeof Meta.Type => ({}))
    return {
      delivery: found.delivery,
      status: meta.status ?? 200,
      contentType: meta.content_type ?? found.contentType,
      framing: framingOf(found.contentType),
      bytes: Buffer.from(bytes)
    }
  })
  return { names: [...cases.keys()].toSorted(), read } satisfies Replay
})

const casesOf = (paths: ReadonlyArray<string>): ReadonlyMap<string, Case> => {
  const all = new Set(paths)
  const cases = new Map<string, Case>()
  for (const file of paths) {
    if (besideBodies.some((ending) => file.endsWith(ending))) continue
    const kind = endings.find(({ ending }) => file.endsWith(ending))
    if (kind === undefined) continue
    const name = file.slice(0, -kind.ending.length)
    const meta = `${name}.meta.json`
    // A lone JSON file in a folder of recordings is an index or a note, unless it says what it is.
    if (kind.delivery === "whole" && !all.has(meta)) continue
    cases.set(name, { file, meta: all.has(meta) ? meta : undefined, ...kind })
  }
  return cases
}
