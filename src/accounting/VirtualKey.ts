import { Schema } from "effect"
import { Limits } from "./Limits.ts"

const optional = Schema.optionalKey
const Moment = Schema.Finite

/** The last moment that calendars have, in epoch milliseconds. */
export const lastMoment = 8.64e15
const moments = { message: "Expected a time in milliseconds since 1970" }
const ExpiresAt = Moment.annotate(moments).check(Schema.isBetween({ minimum: 0, maximum: lastMoment }, moments))

/** How a key may be called: it stands in records, reports and paths. */
export const KeyName = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][\w.@-]{0,99}$/, {
    message: "Expected a name of up to 100 letters, digits, '.', '_', '@' and '-'"
  })
)

const attributes = {
  /** whom to ask about it */
  owner: optional(Schema.String),
  /** on whose behalf all of its calls are made */
  tenant: optional(Schema.String),
  labels: optional(Schema.Record(Schema.String, Schema.String)),
  /** the models that it may name; `*` stands for anything */
  models: optional(Schema.Array(Schema.NonEmptyString)),
  /** the names of configured filters that all of its calls pass, before those of their model */
  filters: optional(Schema.Array(Schema.NonEmptyString)),
  limits: optional(Limits),
  /** epoch milliseconds */
  expiresAt: optional(ExpiresAt)
}

/** A key to be made. */
export const NewKey = Schema.Struct({ name: KeyName, ...attributes })
export type NewKey = typeof NewKey.Type

/** What is to be changed of a key: what is absent stays, what is null goes. */
export const KeyChange = Schema.Struct({
  owner: optional(Schema.NullOr(Schema.String)),
  tenant: optional(Schema.NullOr(Schema.String)),
  labels: optional(Schema.NullOr(Schema.Record(Schema.String, Schema.String))),
  models: optional(Schema.NullOr(Schema.Array(Schema.NonEmptyString))),
  filters: optional(Schema.NullOr(Schema.Array(Schema.NonEmptyString))),
  limits: optional(Schema.NullOr(Limits)),
  expiresAt: optional(Schema.NullOr(ExpiresAt)),
  disabled: optional(Schema.Boolean)
})
export type KeyChange = typeof KeyChange.Type

/** A key as it is shown: everything but the key itself. Times are epoch milliseconds. */
export const VirtualKey = Schema.Struct({
  ...NewKey.fields,
  expiresAt: optional(Moment),
  /** beginning and end of the key itself, to tell it by */
  hint: Schema.String,
  /** `document` where it stands in the configuration, and is changed there */
  source: Schema.Literals(["database", "document"]),
  createdAt: optional(Moment),
  /** when it was last given another secret, and until when the one before still works */
  rotatedAt: optional(Moment),
  previousUntil: optional(Moment),
  disabled: Schema.Boolean,
  /** where its secret was hashed with a pepper that is not configured */
  recognised: optional(Schema.Literal(false))
})
export type VirtualKey = typeof VirtualKey.Type

/** Whether a key works at `now`. */
export const isUsable = ({ disabled, expiresAt }: VirtualKey, now: number): boolean =>
  !disabled && (expiresAt === undefined || now < expiresAt)

const matches = (pattern: string, model: string): boolean => {
  const star = pattern.indexOf("*")
  if (star < 0) return pattern === model
  // Most are all of a provider's models.
  if (star === pattern.length - 1) return model.startsWith(pattern.slice(0, star))
  const parts = pattern.split("*")
  const [first = "", last = ""] = [parts[0], parts.at(-1)]
  if (!model.startsWith(first) || !model.endsWith(last) || model.length < first.length + last.length) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = model.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= model.length - last.length
}

/** Whether a key may name a model. */
export const mayName = ({ models }: Pick<VirtualKey, "models">, model: string): boolean =>
  models === undefined || models.some((pattern) => matches(pattern, model))
