import type { Schema } from "effect"
import type { JsonObject } from "../open-document.ts"

const isEmpty = (value: Schema.Json | undefined): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === "object" && Object.keys(value).length === 0)

/**
 * The fields of documents that are told again and again, each only when it says something new: what is not among the known
 * ones, and not empty.
 */
export class ChangedFields {
  private readonly known: ReadonlySet<string>
  private readonly told = new Map<string, string>()

  constructor(known: ReadonlySet<string>) {
    this.known = known
  }

  /** What is new in a document; undefined where nothing is. */
  read(document: JsonObject): JsonObject | undefined {
    let changed: Record<string, Schema.Json> | undefined
    for (const key in document) {
      const value = document[key]
      if (this.known.has(key) || value === undefined || isEmpty(value)) continue
      const text = JSON.stringify(value)
      if (this.told.get(key) === text) continue
      this.told.set(key, text)
      ;(changed ??= {})[key] = value
    }
    return changed
  }
}
