import type { Usage } from "../domain/Usage.ts"
import { present } from "../domain/present.ts"
import { unlessEmpty } from "./open-document.ts"

/** A count as a provider stated it, in quotes where it writes its numbers so; undefined where what stands there is none. */
export const tokenCount = (value: unknown): number | undefined => {
  const count = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined
}

/** The sum of counts; undefined where none of them was stated. */
export const sumOf = (...counts: ReadonlyArray<number | undefined>): number | undefined => {
  const stated = counts.filter((count) => count !== undefined)
  return stated.length === 0 ? undefined : stated.reduce((sum, count) => sum + count, 0)
}

type Counts = { readonly [K in Exclude<keyof Usage, "source">]: number | undefined }

/** The usage that a provider stated; undefined where it stated none of the counts. */
export const statedUsage = (counts: Partial<Counts>): Usage | undefined => {
  const stated = present(counts)
  return unlessEmpty(stated) && { ...stated, source: "provider" }
}
