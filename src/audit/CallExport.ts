import { DateTime, Stream } from "effect"
import type { CallRecord } from "./CallRecord.ts"

/** What records can be written as: a line of JSON each, all of it; or a row each, without requests and answers. */
export const exportFormats = ["jsonl", "csv"] as const
export type ExportFormat = (typeof exportFormats)[number]

type Cell = string | number | boolean | null | undefined

// The names are those of the record where it has one of that meaning.
const columns: { readonly [name: string]: (record: CallRecord) => Cell } = {
  id: ({ id }) => id,
  requestId: ({ requestId }) => requestId,
  openedAt: ({ timings }) => DateTime.formatIso(DateTime.makeUnsafe(timings.openedAt)),
  dialect: ({ dialect }) => dialect,
  delivery: ({ delivery }) => delivery,
  model: ({ model }) => model,
  key: ({ caller }) => caller.key,
  tenant: ({ caller }) => caller.tenant,
  labels: ({ caller }) =>
    Object.entries(caller.labels ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
  conversation: ({ conversation }) => conversation,
  status: ({ status }) => status,
  outcome: ({ outcome }) => outcome?.kind,
  by: ({ outcome }) => outcome?.by,
  reason: ({ outcome }) => outcome?.reason,
  message: ({ outcome }) => outcome?.message,
  finishReason: ({ finishReason }) => finishReason,
  provider: ({ target }) => target?.provider,
  targetModel: ({ target }) => target?.model,
  inputTokens: ({ usage }) => usage?.inputTokens,
  outputTokens: ({ usage }) => usage?.outputTokens,
  cachedTokens: ({ usage }) => usage?.cachedTokens,
  cacheWriteTokens: ({ usage }) => usage?.cacheWriteTokens,
  reasoningTokens: ({ usage }) => usage?.reasoningTokens,
  usageSource: ({ usage }) => usage?.source,
  microUsd: ({ cost }) => cost?.microUsd,
  attempts: ({ attempts }) => attempts.length,
  rateLimited: ({ rateLimited }) => rateLimited,
  firstByteMs: ({ timings }) => timings.firstByteMs,
  firstTokenMs: ({ timings }) => timings.firstTokenMs,
  totalMs: ({ timings }) => timings.totalMs,
  upstreamBytes: ({ upstream }) => upstream?.bytes,
  deliveredBytes: ({ delivered }) => delivered?.bytes,
  requestBytes: ({ request }) => request?.bytes,
  responseBytes: ({ response }) => response?.bytes
}

/** Spreadsheets take a text that begins so for a formula, full-width signs and blanks before it included. */
const formula = /^[\s\0]*[=+\-@\t\r\n＝＋－＠]/

const cellOf = (value: Cell): string => {
  if (value === undefined || value === null) return ""
  if (typeof value !== "string") return String(value)
  const text = formula.test(value) ? `'${value}` : value
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const line = (cells: ReadonlyArray<Cell>): string => `${cells.map(cellOf).join(",")}\r\n`

const csvHeader = line(Object.keys(columns))

/**
 * The record as a row of CSV (RFC 4180). A text that a spreadsheet would take for a formula has an apostrophe before it;
 * what is not known is empty.
 */
const csvLine = (record: CallRecord): string => line(Object.values(columns).map((cell) => cell(record)))

/** Records as text, as much of it at a time as pages of records come. */
export const exported =
  (format: ExportFormat) =>
  <E, R>(pages: Stream.Stream<ReadonlyArray<CallRecord>, E, R>): Stream.Stream<string, E, R> =>
    format === "jsonl"
      ? Stream.map(pages, (page) => page.map((record) => `${JSON.stringify(record)}\n`).join(""))
      : // with the first page rather than before it: what fails at once has said nothing
        Stream.mapAccum(
          pages,
          () => csvHeader,
          (header, page) => ["", [header + page.map(csvLine).join("")]]
        )
