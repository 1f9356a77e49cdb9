import { Console, Effect, type FileSystem, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { Configuration } from "../config/Configuration.ts"
import { formatStorageUrl } from "../config/Document.ts"
import { storeLayer } from "../config/layers.ts"
import { load } from "../config/load.ts"
import { ConfigurationError } from "../config/problems.ts"
import { parseMoment } from "../domain/moment.ts"
import { CommandFailed, invalidConfiguration, unusableStorage } from "./CommandFailed.ts"
import { configFlag, howManyFlag, jsonFlag } from "./flags.ts"
import { isStored } from "./storage-file.ts"
import { compare } from "./replay/compare.ts"
import { recordedCalls } from "./replay/recorded-calls.ts"
import type { Recordings } from "./replay/Recording.ts"
import { replay } from "./replay/run.ts"
import { comparisonText } from "./replay/texts.ts"
import { wireFiles } from "./replay/wire-files.ts"

const moment = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(`${description}, such as 2027-01-31T12:00:00Z`), Flag.optional)

const flags = {
  config: configFlag,
  with: Flag.String("with").pipe(
    Flag.withDescription("The changed configuration: its filters, guardrails, analyzers and signals are tried")
  ),
  wire: Flag.String("wire").pipe(
    Flag.withDescription("A folder of recorded provider traffic instead of the configured database"),
    Flag.optional
  ),
  model: Flag.String("model").pipe(Flag.withDescription("Only calls that asked for this model"), Flag.optional),
  key: Flag.String("caller-key").pipe(Flag.withDescription("Only calls made with the key of this name"), Flag.optional),
  from: moment("from", "Only calls that began at this time or later"),
  before: moment("before", "Only calls that began before this time"),
  limit: howManyFlag("limit", "At most so many calls, the latest ones; else 1000").pipe(Flag.withDefault(1000)),
  json: jsonFlag
}

const loaded = (file: string | undefined) => Effect.mapError(load({ config: file }), invalidConfiguration)

/** What is wrong with the file itself is told of the flag that names it. */
const loadedWith = (file: string) =>
  load({ config: file }).pipe(
    Effect.mapError(({ problems }) => {
      const told = problems.map((problem) =>
        problem.path === "--config"
          ? {
              ...problem,
              path: "--with",
              message: problem.message.replace(", or leave it out to run with the defaults", "")
            }
          : problem
      )
      return invalidConfiguration(new ConfigurationError({ problems: told }))
    })
  )

const timeOf = (name: string, text: Option.Option<string>): Effect.Effect<number | undefined, CommandFailed> => {
  if (Option.isNone(text)) return Effect.undefined
  const time = parseMoment(text.value)
  return time !== undefined
    ? Effect.succeed(time)
    : Effect.fail(
        new CommandFailed({
          message: `--${name}: ${JSON.stringify(text.value)} is no time.\nWrite one such as 2027-01-31T12:00:00Z.`
        })
      )
}

const fromDatabase = Effect.fnUntraced(function* (
  configuration: Configuration,
  filter: Parameters<typeof recordedCalls>[0],
  limit: number
): Effect.fn.Return<Recordings, CommandFailed, FileSystem.FileSystem> {
  const { storage } = configuration
  if (storage._tag === "Memory") {
    return yield* new CommandFailed({
      message:
        "The configuration keeps records in the memory of the server, where they cannot be replayed.\nUse a database (storage.url), or recordings: --wire <folder>"
    })
  }
  const where = formatStorageUrl(storage)
  if (!(yield* isStored(storage))) return { recordings: [], skipped: [] }
  return yield* recordedCalls(filter, limit).pipe(
    Effect.mapError(
      ({ message }) => new CommandFailed({ message: `The records in ${where} cannot be read: ${message}` })
    ),
    Effect.provide(storeLayer(configuration)),
    Effect.catchTag(["StorageError", "MigrationError"], (error) => unusableStorage(where)(error))
  )
})

/** `millrace replay`: shows what a changed configuration would have made of calls that were recorded. */
export const replayCommand = Command.make(
  "replay",
  flags,
  Effect.fn(function* ({ before, config, from, json, key, limit, model, wire, with: changed }) {
    const current = yield* loaded(Option.getOrUndefined(config))
    const next = yield* loadedWith(changed)
    const filter = {
      model: Option.getOrUndefined(model),
      key: Option.getOrUndefined(key),
      openedFrom: yield* timeOf("from", from),
      openedBefore: yield* timeOf("before", before)
    }
    const found = Option.isSome(wire) ? yield* wireFiles(wire.value) : yield* fromDatabase(current, filter, limit)
    const recordings = found.recordings.toSorted(
      (one, other) => one.openedAt - other.openedAt || (one.id < other.id ? -1 : 1)
    )
    const comparison = compare(
      { recordings, skipped: found.skipped },
      yield* replay(current, recordings),
      yield* replay(next, recordings)
    )
    yield* Console.log(json ? JSON.stringify(comparison, undefined, 2) : comparisonText(comparison))
  })
).pipe(
  Command.withDescription("Show what a changed configuration would have made of recorded calls"),
  Command.withExamples([
    { command: "millrace replay --with changed.yaml", description: "The latest 1000 calls of the configured database" },
    {
      command: "millrace replay --with changed.yaml --wire recordings/ --json",
      description: "Recorded provider traffic, as JSON"
    }
  ])
)
