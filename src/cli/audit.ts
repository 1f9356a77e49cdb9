import { Console, Effect, Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as AuditStoreSql from "../audit/AuditStoreSql.ts"
import type { Verification } from "../audit/ChainFold.ts"
import { verifyDatabase } from "../audit/verify.ts"
import { verifyLines } from "../audit/verify-lines.ts"
import type { Configuration } from "../config/Configuration.ts"
import { formatStorageUrl } from "../config/Document.ts"
import { databaseLayer } from "../config/layers.ts"
import { load } from "../config/load.ts"
import { CommandFailed, invalidConfiguration, unusableStorage } from "./CommandFailed.ts"
import { configFlag, jsonFlag } from "./flags.ts"
import { isStored } from "./storage-file.ts"

const verifyConfigured = Effect.fnUntraced(function* (configuration: Configuration) {
  const where = formatStorageUrl(configuration.storage)
  const database = databaseLayer(configuration)
  if (database === undefined || !(yield* isStored(configuration.storage))) {
    return yield* new CommandFailed({
      message: `There are no records in ${where}.\nName the configuration of the server with --config.`
    })
  }
  return yield* verifyDatabase.pipe(
    Effect.provide(Layer.provideMerge(AuditStoreSql.layer, database)),
    Effect.mapError(unusableStorage(where))
  )
})

const count = (number: number, one: string, many = `${one}s`) => `${number} ${number === 1 ? one : many}`

/** What was found, in words. */
const summary = ({ chains, records, truncated, unlinked }: Verification): ReadonlyArray<string> => [
  `${count(records, "record")} in ${count(chains, "chain")} looked at.`,
  ...truncated.map(
    ({ link, owner }) =>
      `The chain of ${owner} begins after link ${link}: the records before it were removed for their age or size.`
  ),
  ...(unlinked === 0 ? [] : [`${count(unlinked, "record")} from before there were chains stand in none.`])
]

const nothing = "There are no records, so nothing is proved."

const breakOf = ({ broken }: Verification): string => {
  if (broken === undefined) return ""
  const { id, kind, link, message, owner } = broken
  const call = id === undefined ? "" : `, the record of ${id}`
  const chain = owner === "" ? "The chain" : `The chain of ${owner}`
  const place = link === 0 ? "" : ` at link ${link}`
  return `${chain} breaks${place}${call} (${kind}): ${message}.`
}

const verify = Command.make(
  "verify",
  {
    config: configFlag,
    file: Flag.String("file").pipe(
      Flag.withDescription("Verify the files of a sink of lines instead: the path that the configuration names"),
      Flag.optional
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ config, file, json }) {
    const found = Option.isSome(file)
      ? yield* Effect.mapError(
          verifyLines(file.value),
          ({ message }) => new CommandFailed({ message: `${file.value} cannot be read: ${message}` })
        )
      : yield* Effect.flatMap(
          Effect.mapError(load({ config: Option.getOrUndefined(config) }), invalidConfiguration),
          verifyConfigured
        )
    yield* Console.log(json ? JSON.stringify(found, undefined, 2) : summary(found).join("\n"))
    if (found.broken !== undefined) return yield* new CommandFailed({ message: breakOf(found) })
    if (!json) yield* Console.log(found.records === 0 ? nothing : "All of them are as they were written.")
  })
).pipe(
  Command.withDescription("Prove that no record was changed, removed, moved or put in"),
  Command.withExamples([
    { command: "millrace audit verify", description: "The records of the configured database" },
    { command: "millrace audit verify --file audit/calls.jsonl", description: "Those of a sink" }
  ])
)

/** `millrace audit`: what concerns all records. */
export const auditCommand = Command.make("audit").pipe(
  Command.withDescription("Look after the records of calls"),
  Command.withSubcommands([verify])
)
