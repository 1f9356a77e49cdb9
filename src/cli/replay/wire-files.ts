import { Effect, FileSystem, Option, Schema, Stream } from "effect"
import type { Call } from "../../domain/Call.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { prompt } from "../../domain/prompt.ts"
import { allSurfaces } from "../../protocols/surfaces.ts"
import type { Protocol } from "../../protocols/Protocol.ts"
import { formats } from "../../providers/formats.ts"
import { decodeFrames } from "../../providers/frames.ts"
import { CommandFailed } from "../CommandFailed.ts"
import type { Moment, Recording, Recordings, Skipped } from "./Recording.ts"

const Meta = Schema.Struct({
  status: Schema.optionalKey(Schema.Int),
  wire: Schema.optionalKey(Schema.String)
})
const decodeMeta = Schema.decodeUnknownOption(Schema.fromJsonString(Meta))
const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

/** Files have no times: a frame comes every so many milliseconds, and a file begins a second after the one before. */
const frameMs = 20
const gapMs = 1000

const streamEndings = [".sse", ".ndjson", ".jsonarray", ".eventstream"]
const beside = [".meta.json", ".request.json"]

/** Names for formats that recordings have beside our own. */
const alias: { readonly [wire: string]: string } = { anthropic: "anthropic-messages" }

const protocols = new Map<string, Protocol>(Object.entries(formats).map(([name, { protocol }]) => [name, protocol]))

/** The format that a recording is in: what it says itself, else the name of a folder that it is in. */
const protocolOf = (path: string, wire: string | undefined): Protocol | undefined =>
  wire === undefined
    ? path
        .split("/")
        .map((folder) => protocols.get(folder))
        .find((protocol) => protocol !== undefined)
    : protocols.get(alias[wire] ?? wire)

/**
 * The recordings of provider traffic in a folder: `<name>.stream.sse` (`.ndjson`, `.jsonarray`, `.eventstream`) or
 * `<name>.json`, each with a `<name>.meta.json` that says its format as `wire`, or in a folder of that name, and where
 * there is one a `<name>.request.json`.
 */
export const wireFiles = Effect.fnUntraced(function* (
  folder: string
): Effect.fn.Return<Recordings, CommandFailed, FileSystem.FileSystem> {
  const files = yield* FileSystem.FileSystem
  const unreadable = (path: string) => (cause: { readonly message: string }) =>
    new CommandFailed({ message: `${path} cannot be read: ${cause.message}\nName a folder of recordings.` })
  const listed = yield* Effect.mapError(files.readDirectory(folder, { recursive: true }), unreadable(folder))
  const paths = listed.map((path) => path.replaceAll("\\", "/")).toSorted()
  const all = new Set(paths)
  const recordings: Array<Recording> = []
  const skipped: Array<Skipped> = []
  let openedAt = 0
  for (const path of paths) {
    const stream = streamEndings.find((ending) => path.endsWith(ending))
    const name = path.replace(/\.[^.]+$/, "")
    const isWhole = path.endsWith(".json") && !beside.some((ending) => path.endsWith(ending))
    // a lone JSON file is an index or a note
    if (stream === undefined && !(isWhole && all.has(`${name}.meta.json`))) continue
    const text = (suffix: string) =>
      all.has(`${name}${suffix}`)
        ? Effect.mapError(files.readFileString(`${folder}/${name}${suffix}`), unreadable(`${name}${suffix}`))
        : Effect.succeed("{}")
    const meta = Option.getOrElse(decodeMeta(yield* text(".meta.json")), (): typeof Meta.Type => ({}))
    const protocol = protocolOf(path, meta.wire)
    if (protocol === undefined || (meta.status ?? 200) >= 300) {
      skipped.push({ id: name, reason: protocol === undefined ? "its format is not known" : "it is an error" })
      continue
    }
    const bytes = yield* Effect.mapError(files.readFile(`${folder}/${path}`), unreadable(path))
    const answer = stream === undefined ? wholeAnswer(protocol, bytes) : yield* streamedAnswer(protocol, bytes)
    const delivery = stream === undefined ? "whole" : "stream"
    const call = callOf(protocol, yield* text(".request.json"), delivery)
    recordings.push({ id: name, openedAt, call, ...answer })
    openedAt += (answer.answer.at(-1)?.at ?? 0) + gapMs
  }
  return { recordings, skipped }
})

type Answer = Pick<Recording, "answer" | "failure">

const streamedAnswer = (protocol: Protocol, bytes: Uint8Array): Effect.Effect<Answer> =>
  Effect.suspend(() => {
    const answer: Array<Moment> = []
    return Stream.make(bytes).pipe(
      decodeFrames(protocol),
      Stream.runForEach(({ events }) =>
        Effect.sync(() => {
          if (events.length > 0) answer.push({ at: (answer.length + 1) * frameMs, events })
        })
      ),
      Effect.match({
        onSuccess: () => ({ answer, failure: undefined }),
        onFailure: (failure: LlmError) => ({ answer, failure })
      })
    )
  })

const wholeAnswer = (protocol: Protocol, bytes: Uint8Array): Answer => {
  const events: Array<LlmEvent> = []
  const body = Option.getOrNull(decodeJson(new TextDecoder().decode(bytes)))
  const failure = protocol.decodeWhole(body, events)
  return { answer: [{ at: frameMs, events }], failure }
}

/** The request as a caller of the same format would have sent it; where it was not kept, an empty one. */
const callOf = ({ id }: Protocol, text: string, delivery: Call["delivery"]): Call => {
  const dialect = allSurfaces.find((surface) => surface.dialect.id === id)?.dialect
  const body = Option.getOrNull(decodeJson(text))
  const decoded = dialect?.decode(body, { model: "recorded", delivery })
  const request = decoded?._tag === "Success" ? decoded.success.request : prompt("recorded", "")
  // What only the provider holds is no matter here: its answer is recorded.
  const { requires: _, ...asked } = request
  return { request: asked, delivery, caller: {}, ...(dialect === undefined ? {} : { dialect: id }) }
}
