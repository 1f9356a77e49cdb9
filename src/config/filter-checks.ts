import { Result } from "effect"
import { type FilterEntry, filterOf, filterSettings } from "./filters.ts"
import { didYouMean, type Finding } from "./problems.ts"
import { field, isSection } from "./substitute.ts"

/** What is said of filters that does not go together: settings that a kind does not have or lacks, names of nobody. */
export const checkFilters = (root: { readonly [key: string]: unknown }): ReadonlyArray<Finding> => {
  const filters = isSection(root["filters"]) ? root["filters"] : {}
  return [...Object.entries(filters).flatMap(checkFilter), ...checkNames(root, Object.keys(filters))]
}

const checkFilter = ([name, entry]: readonly [string, unknown]): ReadonlyArray<Finding> => {
  const kind = isSection(entry) ? entry["kind"] : undefined
  const settings = typeof kind === "string" ? filterSettings[kind] : undefined
  if (!isSection(entry) || settings === undefined) return []
  const all = new Set(Object.values(filterSettings).flatMap(({ known }) => known))
  const foreign = Object.keys(entry)
    .filter((key) => all.has(key) && !settings.known.includes(key))
    .map((key) => ({
      path: ["filters", name, key],
      message: `means nothing to kind: ${String(kind)}; remove it`
    }))
  const missing = settings.needs
    .filter((keys) => !keys.some((key) => key in entry))
    .map((keys) => ({
      path: ["filters", name],
      message: `lacks what kind: ${String(kind)} needs; add ${keys.map((key) => `${key}:`).join(" or ")}`
    }))
  return [...foreign, ...missing]
}

const checkNames = (
  root: { readonly [key: string]: unknown },
  known: ReadonlyArray<string>
): ReadonlyArray<Finding> => {
  const models = isSection(root["models"]) ? Object.entries(root["models"]) : []
  const keys: unknown = field(root, "auth", "keys")
  const lists = [
    { path: ["everyCall"], section: root["everyCall"] },
    ...models.map(([name, section]) => ({ path: ["models", name], section })),
    ...(Array.isArray(keys) ? keys : []).map((section: unknown, index) => ({ path: ["auth", "keys", index], section }))
  ]
  return lists.flatMap(({ path, section }) => {
    const names: unknown = isSection(section) ? section["filters"] : undefined
    return (Array.isArray(names) ? names : []).flatMap((name: unknown, index): ReadonlyArray<Finding> => {
      if (typeof name !== "string" || name === "" || known.includes(name)) return []
      const there = known.length === 0 ? "none is configured" : `there are ${known.join(", ")}`
      return [
        {
          path: [...path, "filters", index],
          message: `names ${JSON.stringify(name)}, which is no filter of this document${didYouMean(name, known)} (${there})`
        }
      ]
    })
  })
}

/** What is wrong with filters that are written as they should be: a pattern that is none. */
export const unusableFilters = (filters: { readonly [name: string]: FilterEntry }): ReadonlyArray<Finding> =>
  Object.entries(filters).flatMap(([name, entry]) => {
    const made = filterOf(name, entry)
    return Result.isFailure(made) ? [{ path: ["filters", name], message: made.failure }] : []
  })
