import { DateTime } from "effect"
import type { CallRecord } from "../audit/CallRecord.ts"
import { outsideRows } from "./outside-texts.ts"
import type { ToolCallRecord } from "../audit/Transcript.ts"
import type { AttemptRecord } from "../domain/Call.ts"
import type { Usage } from "../domain/Usage.ts"
import { columns } from "./describe.ts"
import { printable, printableLine } from "./printable.ts"

const heading = ["time (UTC)", "id", "model", "outcome", "tokens", "ms"]

const cells = (call: CallRecord): ReadonlyArray<string> => [
  timeOf(call.timings.openedAt),
  call.id,
  call.model,
  outcomeOf(call),
  tokensOf(call.usage),
  String(call.timings.totalMs ?? "")
]

/** Calls as a table, one on each line. */
export const callTable = (calls: ReadonlyArray<CallRecord>): string =>
  table([heading, ...calls.map(cells)], heading.length - 1)

/** One call as a line among others that are not yet known. */
export const callLine = (call: CallRecord): string => {
  const [time = "", id = "", model = "", outcome = "", tokens = "", total = ""] = cells(call).map(printableLine)
  return `${time}  ${id}  ${model.padEnd(20)}  ${outcome.padEnd(18)}  ${tokens.padEnd(12)}  ${total}`.trimEnd()
}

/** Rows in columns as wide as their widest cells; that of numbers stands to the right. */
export const table = (said: ReadonlyArray<ReadonlyArray<string>>, numbers: number): string => {
  const rows = said.map((row) => row.map(printableLine))
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === numbers ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
        )
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}

/** A time as tables have it, in UTC. */
export const timeOf = (openedAt: number): string =>
  DateTime.formatIso(DateTime.makeUnsafe(openedAt))
    .replace("T", " ")
    .replace(/\.\d+Z$/, "")

/** How a call ended, in a few words. */
const outcomeOf = ({ outcome, status }: CallRecord): string => {
  if (outcome === undefined) return status
  const { kind, by, delivered, finish, phase, reason, target } = outcome
  const detail = [finish, by, reason, phase, target].find((part) => part !== undefined)
  const undelivered = kind === "Completed" && delivered === false ? ", not delivered" : ""
  return detail === undefined ? kind : `${kind} (${detail}${undelivered})`
}

/** Tokens in and out; what is not known is a question mark, what was estimated has a tilde. */
const tokensOf = (usage: Usage | undefined): string => {
  if (usage === undefined || (usage.inputTokens === undefined && usage.outputTokens === undefined)) return ""
  const mark = usage.source === "estimated" ? "~" : ""
  const counted = (tokens: number | undefined) => (tokens === undefined ? "?" : `${mark}${tokens}`)
  return `${counted(usage.inputTokens)} > ${counted(usage.outputTokens)}`
}

/** Who made a call: the name of the key, the tenant, the labels. */
const callerOf = ({ caller: { key, labels = {}, tenant } }: CallRecord): string | undefined => {
  const facts = [
    key,
    tenant === undefined ? undefined : `for ${tenant}`,
    ...Object.entries(labels).map(([label, value]) => `${label}=${value}`)
  ].filter((fact) => fact !== undefined)
  return facts.length === 0 ? undefined : facts.join(", ")
}

/** One call with all that matters of it. */
export const callDetails = (call: CallRecord): string => {
  const { timings, target, usage, outcome } = call
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ["call", call.id],
    ["request id", call.requestId],
    ["opened", `${timeOf(timings.openedAt)} UTC`],
    ["dialect", call.dialect === undefined ? undefined : `${call.dialect}, ${call.delivery}`],
    ["caller", callerOf(call)],
    ["model", call.model],
    ["answered by", target === undefined ? undefined : `${target.provider}/${target.model}`],
    ["outcome", outcomeOf(call)],
    ["because", outcome?.message],
    ["tokens", usage === undefined ? undefined : usageOf(usage)],
    ["cost", costOf(call.cost)],
    ["first byte", milliseconds(timings.firstByteMs)],
    ["first token", milliseconds(timings.firstTokenMs)],
    ["total", milliseconds(timings.totalMs)],
    ["sent", call.delivered === undefined ? undefined : `${call.delivered.bytes} bytes`],
    ["conversation", call.conversation],
    ["messages", call.messages === undefined ? undefined : String(call.messages.length)],
    ...(call.toolCalls ?? []).map((tool) => [`tool call ${tool.number}`, toolCallOf(tool)] as const),
    ...call.attempts.map((attempt, index) => [`attempt ${index + 1}`, attemptOf(attempt)] as const),
    ...call.notices.map(({ message }) => ["notice", message] as const),
    ...outsideRows(call)
  ]
  const known = rows.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, printableLine(value)] as const]
  )
  const { reasoning, refusal, text, toolCalls = [] } = call.response ?? {}
  const sections = [
    columns(known, ""),
    ...section("reasoning", reasoning),
    ...section("answer", text),
    ...section("refusal", refusal),
    ...toolCalls.flatMap((tool) => section(`tool call ${tool.id}`, `${tool.name}(${tool.arguments})`))
  ]
  return printable(sections.join("\n\n"))
}

const section = (name: string, text: string | undefined): ReadonlyArray<string> =>
  text === undefined || text === "" ? [] : [`${name}\n${text}`]

const milliseconds = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : `${value} ms`

const usageOf = ({ inputTokens, outputTokens, cachedTokens, reasoningTokens, source }: Usage): string => {
  const parts = [
    inputTokens === undefined ? "" : `${inputTokens} in`,
    cachedTokens === undefined || cachedTokens === 0 ? "" : `${cachedTokens} of them cached`,
    outputTokens === undefined ? "" : `${outputTokens} out`,
    reasoningTokens === undefined || reasoningTokens === 0 ? "" : `${reasoningTokens} of them reasoning`,
    source === "estimated" ? "estimated" : ""
  ].filter((part) => part !== "")
  return parts.length === 0 ? "not known" : parts.join(", ")
}

/** Millionths of a dollar as dollars. */
export const dollars = (microUsd: number): string => `$${(microUsd / 1_000_000).toFixed(6)}`

const costOf = (cost: CallRecord["cost"]): string | undefined => {
  if (cost === undefined) return undefined
  return cost.microUsd === null ? "not known: the model has no price" : dollars(cost.microUsd)
}

const toolCallOf = ({ complete, id, message, name, result }: ToolCallRecord): string =>
  [
    `${name} (${id})`,
    message === undefined ? "" : `in message ${message}`,
    complete ? "" : "incomplete",
    result === undefined ? "" : `${result.isError === true ? "failed" : "answered"} in message ${result.message}`
  ]
    .filter((part) => part !== "")
    .join(", ")

const attemptOf = ({ provider, model, status, failure, firstTokenMs, endedMs }: AttemptRecord): string =>
  [
    `${provider}/${model}`,
    status === undefined ? "" : `status ${status}`,
    firstTokenMs === undefined ? "" : `first token after ${firstTokenMs} ms`,
    endedMs === undefined ? "" : `ended after ${endedMs} ms`,
    failure === undefined ? "" : `${failure.reason._tag}: ${failure.message}`
  ]
    .filter((part) => part !== "")
    .join(", ")
