import { DateTime } from "effect"
import { Buffer } from "node:buffer"
import type { AttemptRecord, FinalRecord } from "../domain/Call.ts"
import type { Candidate } from "./Admission.ts"
import {
  type Dimension,
  noSums,
  sums,
  type UsageLine,
  type UsageQuery,
  type UsageReport,
  type UsageSums
} from "./Usage.ts"

/** What the sums of a row are of. Absent values are empty texts; labels are JSON, in the order of their names. */
export interface RowKey {
  readonly day: string
  readonly key: string
  readonly tenant: string
  readonly model: string
  readonly provider: string
  readonly target: string
  readonly labels: string
}

/** What was summed up of one kind of calls on one day. */
export interface UsageRow extends RowKey {
  readonly sums: UsageSums
}

type OpenRow = RowKey & { readonly sums: ReturnType<typeof noSums> }

/** Labels may be anything; a day with more combinations of them in one process than this has the rest under none. */
const maxRows = 10_000
/** Labels with which a row would have a longer name, in bytes, are none: a database has it in an index, which holds no more. */
const maxRowName = 2500

const dayMillis = 86_400_000

/** Sums up calls as they end, in memory. */
export class Tally {
  #rows = new Map<string, OpenRow>()
  /** the rows that there were on the latest day */
  readonly #known = new Set<string>()
  #latest = ""
  #day = { start: Infinity, name: "" }

  /** Takes a call that ended into account. */
  add(candidate: Candidate, record: FinalRecord): void {
    const { attempts, outcome, target } = record
    const answered = this.#row(candidate, target?.provider ?? "", target?.model ?? "")
    answered.sums.calls++
    if (outcome._tag !== "Completed") answered.sums.incomplete++
    for (const attempt of attempts) addAttempt(this.#row(candidate, attempt.provider, attempt.model).sums, attempt)
  }

  #row({ at, caller, model }: Candidate, provider: string, target: string): OpenRow {
    const day = this.#dayOf(at)
    const { key = "", tenant = "" } = caller
    const kind = `${day}\n${key}\n${tenant}\n${model}\n${provider}\n${target}\n`
    const labels = this.#labelsOf(caller.labels, day, kind)
    const name = kind + labels
    let row = this.#rows.get(name)
    if (row === undefined) {
      row = { day, key, tenant, model, provider, target, labels, sums: noSums() }
      this.#rows.set(name, row)
    }
    return row
  }

  #labelsOf(labels: Candidate["caller"]["labels"], day: string, kind: string): string {
    if (labels === undefined) return ""
    if (day > this.#latest) {
      this.#latest = day
      this.#known.clear()
    }
    const text = labelsOf(labels)
    if (Buffer.byteLength(kind + text) > maxRowName) return ""
    if (this.#known.size >= maxRows && !this.#known.has(kind + text)) return ""
    this.#known.add(kind + text)
    return text
  }

  #dayOf(at: number): string {
    const start = Math.floor(at / dayMillis) * dayMillis
    if (start !== this.#day.start) {
      this.#day = { start, name: DateTime.formatIsoDateUtc(DateTime.makeUnsafe(start)) }
    }
    return this.#day.name
  }

  get rows(): ReadonlyArray<UsageRow> {
    return [...this.#rows.values()]
  }

  /** Gives all rows away, and begins anew; in the order of their names. */
  take(): ReadonlyArray<UsageRow> {
    const rows = this.#rows
    this.#rows = new Map()
    return [...rows.entries()].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
  }
}

const addAttempt = (row: ReturnType<typeof noSums>, { cost, usage }: AttemptRecord): void => {
  row.inputTokens += usage.inputTokens ?? 0
  row.cachedTokens += usage.cachedTokens ?? 0
  row.cacheWriteTokens += usage.cacheWriteTokens ?? 0
  row.outputTokens += usage.outputTokens ?? 0
  row.reasoningTokens += usage.reasoningTokens ?? 0
  if (usage.source === "estimated") row.estimated++
  if (cost?.microUsd === null) row.unpriced++
  row.microUsd += cost?.microUsd ?? 0
}

const labelsOf = (labels: NonNullable<Candidate["caller"]["labels"]>): string =>
  JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)))

const labelNames = (labels: string): ReadonlyArray<string> => {
  if (labels === "") return [""]
  // Written above, or by another process of this version.
  const pairs = JSON.parse(labels) as ReadonlyArray<readonly [string, string]>
  return pairs.length === 0 ? [""] : pairs.map(([name, value]) => `${name}=${value}`)
}

const isAsked = (query: UsageQuery, row: UsageRow): boolean =>
  (query.from === undefined || row.day >= query.from) &&
  (query.to === undefined || row.day <= query.to) &&
  (query.key === undefined || row.key === query.key) &&
  (query.tenant === undefined || row.tenant === query.tenant) &&
  (query.model === undefined || row.model === query.model)

const targetOf = ({ provider, target }: RowKey): string => (target === "" ? "" : `${provider}/${target}`)

const valueOf = (row: UsageRow, dimension: Exclude<Dimension, "label">): string =>
  dimension === "target" ? targetOf(row) : row[dimension]

/** Divides rows as a query says. */
export const reportOf = (rows: Iterable<UsageRow>, query: UsageQuery): UsageReport => {
  const total = noSums()
  const lines = new Map<string, { readonly values: ReadonlyArray<string>; readonly sums: ReturnType<typeof noSums> }>()
  for (const row of rows) {
    if (!isAsked(query, row)) continue
    for (const name of sums) total[name] += row.sums[name]
    for (const label of query.by.includes("label") ? labelNames(row.labels) : [""]) {
      const values = query.by.map((dimension) => (dimension === "label" ? label : valueOf(row, dimension)))
      const line = lines.get(values.join("\n")) ?? { values, sums: noSums() }
      lines.set(values.join("\n"), line)
      for (const name of sums) line.sums[name] += row.sums[name]
    }
  }
  const data = [...lines.entries()]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { sums, values }]): UsageLine => {
      const divided = Object.fromEntries(query.by.map((dimension, index) => [dimension, values[index] ?? ""]))
      return { ...divided, ...sums }
    })
  return { data: query.by.length === 0 ? [] : data, total }
}
