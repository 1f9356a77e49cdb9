import { Console, Effect, Option, Schema, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { exportFormats } from "../audit/CallExport.ts"
import { CallRecord } from "../audit/CallRecord.ts"
import { clientWith, configured } from "./asking.ts"
import { chosenBy, filterFlags, statusFlag } from "./call-flags.ts"
import { callDetails, callLine, callTable } from "./call-texts.ts"
import { CommandFailed } from "./CommandFailed.ts"
import { configFlag, howManyFlag, jsonFlag, keyFlag, urlFlag } from "./flags.ts"
import { toFile, toOutput } from "./output.ts"
import { Program } from "./Program.ts"
import { databaseRecords, serverRecords } from "./Records.ts"

const place = {
  config: configFlag,
  url: urlFlag,
  key: keyFlag,
  json: jsonFlag
}

const recordsAt = Effect.fnUntraced(function* (
  url: Option.Option<string>,
  config: Option.Option<string>,
  key: Parameters<typeof clientWith>[0]
) {
  if (Option.isSome(url)) return yield* Effect.provide(serverRecords(url.value), clientWith(key))
  return yield* Effect.flatMap(configured(config, key), databaseRecords)
})

const encode = Schema.encodeSync(CallRecord)

const printJson = (value: unknown) => Console.log(JSON.stringify(value, undefined, 2))

const { json: _, ...reading } = place

const list = Command.make(
  "list",
  {
    ...place,
    ...filterFlags,
    status: statusFlag,
    limit: howManyFlag("limit", "How many, from 1 to 100; else 20", 100).pipe(Flag.withDefault(20))
  },
  Effect.fn(function* ({ config, json, key, limit, url, ...flags }) {
    const chosen = yield* chosenBy(flags)
    const records = yield* recordsAt(url, config, key)
    const calls = yield* records.list(chosen, limit)
    if (json) return yield* printJson(calls.map((call) => encode(call)))
    const none =
      chosen.query.size === 0
        ? `There are no calls in ${records.where} yet.`
        : `There are no such calls in ${records.where}.`
    yield* Console.log(calls.length === 0 ? none : callTable(calls))
  })
).pipe(
  Command.withDescription("The latest calls, newest first"),
  Command.withExamples([
    { command: "millrace calls list --limit 5", description: "The last five calls of the configured database" },
    { command: "millrace calls list --outcome Failed --from 2026-11-21", description: "What failed since then" },
    { command: "millrace calls list --url http://127.0.0.1:8787", description: "Those of a running server" }
  ])
)

const exportCalls = Command.make(
  "export",
  {
    ...reading,
    ...filterFlags,
    status: statusFlag,
    format: Flag.Literals("format", exportFormats).pipe(
      Flag.withDescription(
        "jsonl: a line of JSON each, with all that is kept; csv: a row each, without requests and answers; else jsonl"
      ),
      Flag.withDefault("jsonl")
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("The file to write; else the output"),
      Flag.optional
    ),
    limit: howManyFlag("limit", "How many at most; else all").pipe(Flag.optional)
  },
  Effect.fn(function* ({ config, format, key, limit, output, url, ...flags }) {
    const chosen = yield* chosenBy(flags)
    const records = yield* recordsAt(url, config, key)
    const texts = records.exported(chosen, format, Option.getOrUndefined(limit))
    if (Option.isNone(output)) return yield* toOutput(texts)
    yield* toFile(output.value, texts)
    yield* Console.log(`The calls of ${records.where} are in ${output.value}.`)
  })
).pipe(
  Command.withDescription("Calls as lines of JSON or as CSV, newest first, however many there are"),
  Command.withExamples([
    { command: "millrace calls export --format csv --output calls.csv", description: "All calls, for a spreadsheet" },
    {
      command: "millrace calls export --label team=search --from 2026-11-01",
      description: "Those of a team, as lines of JSON"
    }
  ])
)

const tail = Command.make(
  "tail",
  {
    ...place,
    ...filterFlags,
    begun: Flag.Boolean("begun").pipe(Flag.withDescription("Show calls when they begin, too"), Flag.withDefault(false))
  },
  Effect.fn(function* ({ begun, config, json, key, url, ...flags }) {
    const chosen = yield* chosenBy(flags)
    const { follow } = yield* recordsAt(url, config, key)
    const told = follow(chosen, begun ? "begun" : "ended")
    yield* toOutput(Stream.map(told, (record) => `${json ? JSON.stringify(encode(record)) : callLine(record)}\n`))
  })
).pipe(
  Command.withDescription("Calls as they end, from now on, until it is stopped"),
  Command.withExamples([
    { command: "millrace calls tail --begun", description: "What goes on in the configured database" },
    { command: "millrace calls tail --url http://127.0.0.1:8787", description: "In a running server" },
    { command: "millrace calls tail --outcome Failed --json", description: "Failures, as a line of JSON each" }
  ])
)

const show = Command.make(
  "show",
  { ...place, id: Argument.String("id").pipe(Argument.withDescription("The id of a call: x-millrace-call-id")) },
  Effect.fn(function* ({ config, id, json, key, url }) {
    const records = yield* recordsAt(url, config, key)
    const call = yield* records.get(id)
    if (call === undefined) {
      const { command } = yield* Program
      return yield* new CommandFailed({
        message: `There is no call ${JSON.stringify(id)} in ${records.where}.\n${command} calls list shows the latest.`
      })
    }
    return yield* json ? printJson(encode(call)) : Console.log(callDetails(call))
  })
).pipe(
  Command.withDescription("What became of one call"),
  Command.withExamples([{ command: "millrace calls show call_1m7xx2r7c7g2twvjk41xkt21x", description: "One call" }])
)

/** `millrace calls`: reads the records of calls. */
export const callsCommand = Command.make("calls").pipe(
  Command.withDescription("Read the records of calls"),
  Command.withSubcommands([list, show, exportCalls, tail])
)
