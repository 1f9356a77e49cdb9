import type { SignalReport } from "../signals/SignalReport.ts"
import { table, timeOf } from "./call-texts.ts"
import { columns } from "./describe.ts"

const heading = ["time (UTC)", "call", "quality", "score", "", "signals"]

/** How often each type was raised, the layers left out. */
const typesOf = ({ signals }: SignalReport): string => {
  const counts = new Map<string, number>()
  for (const { type } of signals) {
    const name = type.split(".").slice(-2).join(".")
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return Array.from(counts, ([name, count]) => (count === 1 ? name : `${name} × ${count}`)).join(", ")
}

/** Reports as a table, one on each line. */
export const signalTable = (reports: ReadonlyArray<SignalReport>): string =>
  table(
    [
      heading,
      ...reports.map((report) => [
        timeOf(report.openedAt),
        report.call,
        report.quality,
        report.score.toFixed(0),
        report.flagged ? "flagged" : "",
        typesOf(report)
      ])
    ],
    heading.indexOf("score")
  )

const percent = (share: number): string => `${Math.round(share * 100)} %`

/** One report with all that is in it. */
export const signalDetails = (report: SignalReport): string => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["call", report.call],
    ["time", `${timeOf(report.openedAt)} UTC`],
    ["conversation", report.conversation],
    ["model", report.model],
    ...(report.key === undefined ? [] : [["key", report.key] as const]),
    ["quality", `${report.quality}, ${report.score.toFixed(0)} of 100${report.flagged ? ", flagged" : ""}`],
    ["turns", `${report.turns.human} of a person, efficiency ${percent(report.efficiency)}`],
    ["taxonomy", report.taxonomy]
  ]
  const groups = report.groups.map(
    ({ category, count, severity, total }) =>
      [category, `${count} in this call (severity ${severity}), ${total} in the conversation`] as const
  )
  const signals = report.signals.map(
    ({ confidence, message, snippet, type }) =>
      [
        `message ${message}`,
        `${type}, ${percent(confidence)}${snippet === undefined ? "" : `: ${JSON.stringify(snippet)}`}`
      ] as const
  )
  return [
    columns(rows, ""),
    ...(groups.length === 0 ? [] : [`\ncategories\n${columns(groups)}`]),
    ...(signals.length === 0 ? [] : [`\nsignals of this call\n${columns(signals)}`])
  ].join("\n")
}
