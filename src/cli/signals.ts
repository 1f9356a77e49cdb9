import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { qualityLevels } from "../signals/Signal.ts"
import { clientWith, configured } from "./asking.ts"
import { CommandFailed } from "./CommandFailed.ts"
import { configFlag, howManyFlag, jsonFlag, keyFlag, urlFlag } from "./flags.ts"
import { Program } from "./Program.ts"
import { signalDetails, signalTable } from "./signal-texts.ts"
import { databaseReports, serverReports } from "./SignalReports.ts"

const place = { config: configFlag, url: urlFlag, key: keyFlag, json: jsonFlag }

const filter = {
  flagged: Flag.Boolean("flagged").pipe(
    Flag.withDescription("Only calls that are worth a look"),
    Flag.withDefault(false)
  ),
  quality: Flag.Literals("quality", qualityLevels).pipe(
    Flag.withDescription("Only conversations of this quality"),
    Flag.optional
  ),
  type: Flag.String("type").pipe(
    Flag.withDescription("Only calls with a signal of this type, such as interaction.disengagement.escalation"),
    Flag.optional
  ),
  conversation: Flag.String("conversation").pipe(Flag.withDescription("Only calls of this conversation"), Flag.optional)
}

const filterOf = (flags: {
  readonly flagged: boolean
  readonly quality: Option.Option<(typeof qualityLevels)[number]>
  readonly type: Option.Option<string>
  readonly conversation: Option.Option<string>
}) => ({
  flagged: flags.flagged ? true : undefined,
  quality: Option.getOrUndefined(flags.quality),
  type: Option.getOrUndefined(flags.type),
  conversation: Option.getOrUndefined(flags.conversation)
})

const reportsAt = Effect.fnUntraced(function* ({
  config,
  key,
  url
}: {
  readonly url: Option.Option<string>
  readonly config: Option.Option<string>
  readonly key: Parameters<typeof clientWith>[0]
}) {
  if (Option.isSome(url)) return yield* Effect.provide(serverReports(url.value), clientWith(key))
  return yield* Effect.flatMap(configured(config, key), databaseReports)
})

const printJson = (value: unknown) => Console.log(JSON.stringify(value, undefined, 2))

const list = Command.make(
  "list",
  {
    ...place,
    ...filter,
    limit: howManyFlag("limit", "How many, from 1 to 100; else 20", 100).pipe(Flag.withDefault(20))
  },
  Effect.fn(function* ({ json, limit, ...flags }) {
    const reports = yield* reportsAt(flags)
    const found = yield* reports.list(filterOf(flags), limit)
    if (json) return yield* printJson(found)
    yield* Console.log(found.length === 0 ? `There are no such signals in ${reports.where}.` : signalTable(found))
  })
).pipe(
  Command.withDescription("The signals of the latest calls, newest first"),
  Command.withExamples([
    { command: "millrace signals list --flagged", description: "Calls that are worth a look" },
    { command: "millrace signals list --quality poor --json", description: "Poor conversations, as JSON" }
  ])
)

const sample = Command.make(
  "sample",
  {
    ...place,
    ...filter,
    size: howManyFlag("size", "How many, from 1 to 100; else 20", 100).pipe(Flag.withDefault(20)),
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("Another number picks others; the same one the same, as long as no calls are added; else 1"),
      Flag.withDefault(1)
    )
  },
  Effect.fn(function* ({ json, seed, size, ...flags }) {
    const reports = yield* reportsAt(flags)
    const found = yield* reports.sample(filterOf(flags), size, seed)
    if (json) return yield* printJson(found)
    yield* Console.log(found.length === 0 ? `There are no such signals in ${reports.where}.` : signalTable(found))
  })
).pipe(
  Command.withDescription("Some calls, evenly picked, to be read by somebody"),
  Command.withExamples([{ command: "millrace signals sample --flagged --size 10", description: "Ten flagged calls" }])
)

const show = Command.make(
  "show",
  { ...place, id: Argument.String("id").pipe(Argument.withDescription("The id of a call: x-millrace-call-id")) },
  Effect.fn(function* ({ id, json, ...flags }) {
    const reports = yield* reportsAt(flags)
    const report = yield* reports.get(id)
    if (report === undefined) {
      const { command } = yield* Program
      return yield* new CommandFailed({
        message: `There are no signals of a call ${JSON.stringify(id)} in ${reports.where}.\n${command} signals list shows the latest.`
      })
    }
    return yield* json ? printJson(report) : Console.log(signalDetails(report))
  })
).pipe(
  Command.withDescription("What one call shows of its conversation"),
  Command.withExamples([{ command: "millrace signals show call_1m7xx2r7c7g2twvjk41xkt21x", description: "One call" }])
)

/** `millrace signals`: reads what conversations show of how they go. */
export const signalsCommand = Command.make("signals").pipe(
  Command.withDescription("Read what conversations show of how they go"),
  Command.withSubcommands([list, sample, show])
)
