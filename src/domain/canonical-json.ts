/** JSON with its keys in order and without blanks; text that is not JSON stays as it is. */
export const canonicalJson = (text: string): string => {
  // JSON.parse says no by throwing.
  try {
    return stringifyOrdered(JSON.parse(text))
  } catch {
    return text.trim()
  }
}

/** The same JSON for the same value, in whatever order its keys stand. */
export const stringifyOrdered = (value: unknown): string => JSON.stringify(ordered(value))

const ordered = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, inner]) => [key, ordered(inner)])
  )
}
