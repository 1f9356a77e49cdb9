import { DateTime } from "effect"
import type { VirtualKey } from "../accounting/VirtualKey.ts"
import { columns } from "./describe.ts"
import { describeLimits } from "./limit-texts.ts"

const timeOf = (millis: number): string =>
  DateTime.formatIso(DateTime.makeUnsafe(millis))
    .replace("T", " ")
    .replace(/(:\d+)\.\d+Z$/, "$1 UTC")

const stateOf = ({ disabled, expiresAt, recognised }: VirtualKey, now: number): string => {
  if (recognised === false) return "made with another pepper, not recognised"
  if (disabled) return "disabled"
  if (expiresAt === undefined) return "works"
  return now < expiresAt ? `works until ${timeOf(expiresAt)}` : "expired"
}

/** Keys as a table, one on each line. */
export const keyTable = (keys: ReadonlyArray<VirtualKey>, now: number): string =>
  columns(
    keys.map((key) => {
      const { filters, hint, limits, models, name, owner, source, tenant } = key
      const facts = [
        hint,
        stateOf(key, now),
        owner === undefined ? "" : `of ${owner}`,
        tenant === undefined ? "" : `tenant ${tenant}`,
        models === undefined ? "" : models.join(" ") || "no models",
        filters === undefined ? "" : `filters ${filters.join(" ")}`,
        limits === undefined ? "" : describeLimits(limits),
        source === "document" ? "from the configuration" : ""
      ]
      return [name, facts.filter((fact) => fact !== "").join(", ")]
    }),
    ""
  )

/** One key with all that is known of it. */
export const keyDetails = (key: VirtualKey): string => {
  const { createdAt, disabled, expiresAt, hint, labels = {}, limits, models, name, owner, previousUntil, tenant } = key
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ["name", name],
    ["key", hint],
    ["owner", owner],
    ["tenant", tenant],
    [
      "labels",
      Object.entries(labels)
        .map(([label, value]) => `${label}=${value}`)
        .join(", ")
    ],
    ["models", models?.join(", ")],
    ["filters", key.filters?.join(", ")],
    ["limits", limits === undefined ? undefined : describeLimits(limits)],
    ["created", createdAt === undefined ? undefined : timeOf(createdAt)],
    ["expires", expiresAt === undefined ? "never" : timeOf(expiresAt)],
    ["disabled", disabled ? "yes" : undefined],
    [
      "the key before",
      previousUntil === undefined ? undefined : `works until ${timeOf(Math.min(previousUntil, expiresAt ?? Infinity))}`
    ]
  ]
  return columns(
    rows.flatMap(([left, right]) => (right === undefined || right === "" ? [] : [[left, right] as const])),
    ""
  )
}
