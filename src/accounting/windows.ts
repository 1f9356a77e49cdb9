import { DateTime } from "effect"
import type { Period } from "./Limits.ts"

/** A stretch of time, in epoch milliseconds: from its start up to its end. */
export interface Window {
  readonly start: number
  readonly end: number
}

const lengths: { readonly [P in Exclude<Period, "month" | "total">]: number } = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000
}

const always: Window = { start: 0, end: Infinity }

let lastMonth: Window = { start: 0, end: 0 }

const monthOf = (now: number): Window => {
  // Months are of different lengths; the calendar is asked once for each.
  if (now < lastMonth.start || now >= lastMonth.end) {
    const start = DateTime.startOf(DateTime.makeUnsafe(now), "month")
    lastMonth = {
      start: DateTime.toEpochMillis(start),
      end: DateTime.toEpochMillis(DateTime.add(start, { months: 1 }))
    }
  }
  return lastMonth
}

/** The window of a period in which a moment lies, aligned in UTC; all time where there is no period. */
export const windowAt = (period: Period | undefined, now: number): Window => {
  if (period === undefined || period === "total") return always
  if (period === "month") return monthOf(now)
  const length = lengths[period]
  const start = Math.floor(now / length) * length
  return { start, end: start + length }
}
