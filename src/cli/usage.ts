import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { HttpClient, HttpClientResponse } from "effect/http"
import { Ledger } from "../accounting/Ledger.ts"
import { Dimension, type UsageLine, type UsageQuery, UsageReport, type UsageSums } from "../accounting/Usage.ts"
import type { Configuration } from "../config/Configuration.ts"
import { ledgerLayer } from "../config/layers.ts"
import { formatStorageUrl } from "../config/Document.ts"
import { usageQueryOf } from "../server/usage.ts"
import { baseOf, clientWith, configured } from "./asking.ts"
import { wrongFlag } from "./call-flags.ts"
import { dollars } from "./call-texts.ts"
import { CommandFailed, unusableStorage } from "./CommandFailed.ts"
import { configFlag, jsonFlag, keyFlag, urlFlag } from "./flags.ts"
import { unanswered } from "./Records.ts"
import { isStored } from "./storage-file.ts"

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const filterFlags = {
  by: text("by", `What to divide it by, several with commas: ${Dimension.literals.join(", ")}; else day`),
  from: text("from", "The first day, in UTC: 2026-11-01"),
  to: text("to", "The last day"),
  callerKey: text("caller-key", "Only what was used with the key of this name"),
  tenant: text("tenant", "Only what was used on behalf of this tenant"),
  model: text("model", "Only what was used of this model, as it was asked for")
}

const flags = { config: configFlag, url: urlFlag, key: keyFlag, json: jsonFlag, ...filterFlags }

/** What flags ask for, as a server is asked for it; fails with what is wrong with them. */
const askedBy = Effect.fnUntraced(function* ({
  callerKey,
  ...others
}: { readonly [Name in keyof typeof filterFlags]: Option.Option<string> }): Effect.fn.Return<
  { readonly query: URLSearchParams; readonly asked: UsageQuery },
  CommandFailed
> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...others, key: callerKey })) {
    if (Option.isSome(value)) query.set(name, value.value)
  }
  const asked = yield* Effect.mapError(usageQueryOf(query), wrongFlag)
  return { query, asked }
})

const ofDatabase = Effect.fnUntraced(function* (configuration: Configuration, query: UsageQuery) {
  if (configuration.storage._tag === "Memory") {
    return yield* new CommandFailed({
      message: "The configuration keeps what was used in the memory of the server.\nAsk it: --url http://127.0.0.1:8787"
    })
  }
  const where = formatStorageUrl(configuration.storage)
  if (!(yield* isStored(configuration.storage))) {
    return yield* new CommandFailed({
      message: `There are no records in ${where}.\nName the configuration of the server with --config.`
    })
  }
  return yield* Effect.flatMap(Ledger, (ledger) => ledger.report(query)).pipe(
    Effect.provide(ledgerLayer(configuration)),
    Effect.catch(unusableStorage(where))
  )
})

const ofServer = Effect.fnUntraced(function* (url: string, query: URLSearchParams) {
  const client = yield* HttpClient.HttpClient
  const base = baseOf(url)
  return yield* client.get(`${base}/v1/usage`, { urlParams: query }).pipe(
    Effect.flatMap(HttpClientResponse.filterStatusOk),
    Effect.flatMap(HttpClientResponse.schemaBodyJson(UsageReport)),
    Effect.mapError((error) => unanswered(base, error))
  )
})

const cells = ({ calls, inputTokens, microUsd, outputTokens, unpriced }: UsageSums): ReadonlyArray<string> => [
  String(calls),
  String(inputTokens),
  String(outputTokens),
  spent(microUsd, unpriced)
]

/** What is known to have been spent; attempts without a price are counted, for they are not free. */
const spent = (microUsd: number, unpriced: number): string => {
  if (unpriced === 0) return dollars(microUsd)
  return microUsd === 0 ? `${unpriced} unpriced` : `${dollars(microUsd)} and ${unpriced} unpriced`
}

/** A name in one line: models and labels are called as callers please, and a terminal would do what is written there. */
const shown = (name: string): string => name.replaceAll(/\p{Cc}/gu, "\u{fffd}") || "–"

/** A report as a table: what it is divided by to the left, numbers to the right. */
const table = ({ data, total }: UsageReport, by: ReadonlyArray<Dimension>): string => {
  const nameOf = (line: UsageLine) => by.map((dimension) => shown(line[dimension] ?? ""))
  const rows = [
    [...by, "calls", "tokens in", "tokens out", "cost"],
    ...data.map((line) => [...nameOf(line), ...cells(line)]),
    [...by.map((_, index) => (index === 0 ? "all" : "")), ...cells(total)]
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    column < by.length ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n")
}

/** `millrace usage`: what was used, and what it cost. */
export const usageCommand = Command.make(
  "usage",
  flags,
  Effect.fn(function* ({ config, json, key, url, ...filter }) {
    const { asked, query } = yield* askedBy(filter)
    const report = Option.isSome(url)
      ? yield* Effect.provide(ofServer(url.value, query), clientWith(key))
      : yield* ofDatabase(yield* configured(config, key), asked)
    yield* Console.log(json ? JSON.stringify(report, undefined, 2) : table(report, asked.by))
  })
).pipe(
  Command.withDescription("What was used and what it cost, by day, key, model, label"),
  Command.withExamples([
    { command: "millrace usage --by key,model --from 2026-11-01", description: "This month, by key and model" },
    { command: "millrace usage --by label --url http://127.0.0.1:8787", description: "Of a running server, by label" }
  ])
)
