import { DateTime, Option } from "effect"

/** Whether a text is a day of the calendar, as `2026-11-21`. */
export const isDay = (text: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const date = DateTime.make(text)
  // The 31st of June would be the first of July.
  return Option.isSome(date) && DateTime.formatIsoDateUtc(date.value) === text
}

/**
 * Reads a date such as `2027-01-31`, or a time of it such as `2027-01-31T12:00:00Z`, as epoch milliseconds; undefined for
 * anything else. One that names no zone is of UTC. What JavaScript takes for a date is more: `5` would be the first of
 * May 2001.
 */
export const parseMoment = (text: string): number | undefined => {
  const date = /^(\d{4}-\d{2}-\d{2})(?:[T ].+)?$/.exec(text)?.[1]
  return date !== undefined && isDay(date)
    ? Option.getOrUndefined(Option.map(DateTime.make(text), DateTime.toEpochMillis))
    : undefined
}
