import { Result } from "effect"
import { type FilterEntry, filterOf, filterSettings } from "./filters.ts"
import { checkHeaders } from "./names.ts"
import { didYouMean, type Finding, nobodyNamed } from "./problems.ts"
import { field, isSection } from "./substitute.ts"

/** What is said of filters that does not go together: settings that a kind does not have or lacks, names of nobody. */
export const checkFilters = (root: Section, providers: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const filters = isSection(root["filters"]) ? root["filters"] : {}
  const models = isSection(root["models"]) ? Object.keys(root["models"]) : []
  const entries = Object.entries(filters).flatMap(([name, entry]) => (isSection(entry) ? [{ name, entry }] : []))
  return [
    ...Object.entries(filters).flatMap(checkFilter),
    ...entries.flatMap(({ name, entry }) => [
      ...checkModels(name, entry, models, providers),
      ...checkRules(name, entry),
      ...checkHeaders(["filters", name, "headers"], entry["headers"]),
      ...checkWindows(name, entry)
    ]),
    ...checkNames(root, Object.keys(filters))
  ]
}

type Section = { readonly [key: string]: unknown }

/** Who judges, and who is given the call. */
const checkModels = (
  filter: string,
  entry: Section,
  models: ReadonlyArray<string>,
  providers: ReadonlyArray<string>
): ReadonlyArray<Finding> =>
  ["model", "target"].flatMap((key) => {
    const name = entry[key]
    const message = typeof name === "string" && name !== "" ? nobodyNamed(name, models, providers) : undefined
    return message === undefined ? [] : [{ path: ["filters", filter, key], message }]
  })

const checkRules = (filter: string, { kind, rules, packs }: Section): ReadonlyArray<Finding> => {
  if (kind === "redact" && rules === undefined && Array.isArray(packs) && packs.length === 0)
    return [
      { path: ["filters", filter, "packs"], message: "is empty, so that nothing is hidden; remove it for all of them" }
    ]
  return (Array.isArray(rules) ? rules : []).flatMap((rule: unknown, index): ReadonlyArray<Finding> => {
    if (!isSection(rule)) return []
    const path = ["filters", filter, "rules", index]
    const { pattern, text } = rule
    if (pattern === undefined && text === undefined)
      return [{ path, message: "does not say what is looked for; add pattern: or text:" }]
    return pattern === undefined || text === undefined
      ? []
      : [{ path, message: "looks for a pattern and a text; keep one of them" }]
  })
}

const checkWindows = (filter: string, { on, parallel, overlap, characters = 256 }: Section): ReadonlyArray<Finding> => [
  ...(typeof overlap === "number" && typeof characters === "number" && overlap >= characters
    ? [
        {
          path: ["filters", filter, "overlap"],
          message: `is no shorter than the window itself (characters: ${characters}); make it shorter`
        }
      ]
    : []),
  ...(parallel === true && Array.isArray(on) && !on.includes("request")
    ? [
        {
          path: ["filters", filter, "parallel"],
          message: "is about the request, which on: leaves out; add request there, or remove it"
        }
      ]
    : [])
]

const checkFilter = ([name, entry]: readonly [string, unknown]): ReadonlyArray<Finding> => {
  const kind = isSection(entry) ? entry["kind"] : undefined
  const settings = typeof kind === "string" && Object.hasOwn(filterSettings, kind) ? filterSettings[kind] : undefined
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

const checkNames = (root: Section, known: ReadonlyArray<string>): ReadonlyArray<Finding> => {
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
    // Rules that look for nothing are told of already.
    if (entry.rules?.some(({ pattern, text }) => pattern === undefined && text === undefined)) return []
    const made = filterOf(name, entry)
    return Result.isFailure(made) ? [{ path: ["filters", name], message: made.failure }] : []
  })
