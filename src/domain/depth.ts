/** So deep may a document be that is asked or answered: what reads or writes one by its levels comes to an end. */
export const mostLevels = 500

/** Whether a JSON value is nested deeper than so many levels. What goes through a value by calling itself ends at some depth. */
export const isDeeper = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}
