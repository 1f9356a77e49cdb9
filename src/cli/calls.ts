import { Console, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CallRecord } from "../audit/CallRecord.ts"
import { load } from "../config/load.ts"
import { clientWith } from "./asking.ts"
import { callDetails, callTable } from "./call-texts.ts"
import { CommandFailed, invalidConfiguration } from "./CommandFailed.ts"
import { configFlag, jsonFlag, keyFlag, urlFlag } from "./flags.ts"
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
  const configuration = yield* Effect.mapError(load({ config: Option.getOrUndefined(config) }), invalidConfiguration)
  return yield* databaseRecords(configuration)
})

const encode = Schema.encodeSync(CallRecord)

const printJson = (value: unknown) => Console.log(JSON.stringify(value, undefined, 2))

const list = Command.make(
  "list",
  {
    ...place,
    limit: Flag.Int("limit").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("How many, from 1 to 100"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))),
      Flag.withDefault(20)
    )
  },
  Effect.fn(function* ({ config, json, key, limit, url }) {
    const records = yield* recordsAt(url, config, key)
    const calls = yield* records.list(limit)
    if (json) return yield* printJson(calls.map((call) => encode(call)))
    yield* Console.log(calls.length === 0 ? `There are no calls in ${records.where} yet.` : callTable(calls))
  })
).pipe(
  Command.withDescription("The latest calls, newest first"),
  Command.withExamples([
    { command: "millrace calls list --limit 5", description: "The last five calls of the configured database" },
    { command: "millrace calls list --url http://127.0.0.1:8787", description: "Those of a running server" }
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
  Command.withSubcommands([list, show])
)
