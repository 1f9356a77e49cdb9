import { DateTime, Effect, Option } from "effect"
import { ownName } from "../accounting/Access.ts"
import { AuditTrail } from "../audit/AuditTrail.ts"
import { OutcomeRecord } from "../audit/CallRecord.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { Engine } from "../engine/Engine.ts"
import type { StorageError } from "../storage/Database.ts"
import { json, notFound, type Route } from "./Route.ts"

const readFailure = (error: StorageError | LlmError): LlmError =>
  error._tag === "LlmError" ? error : failure({ _tag: "AuditUnavailable" }, "The records cannot be read now")

const moment = (query: URLSearchParams, name: string): Effect.Effect<number | undefined, LlmError> => {
  const value = query.get(name)
  if (value === null) return Effect.undefined
  const millis = /^\d+$/.test(value)
    ? Number(value)
    : Option.getOrUndefined(Option.map(DateTime.make(value), DateTime.toEpochMillis))
  return millis === undefined
    ? failure(
        { _tag: "InvalidRequest", kind: "type", path: name },
        `${name} has to be a time such as 2026-11-21T08:00:00Z, or milliseconds since 1970`
      )
    : Effect.succeed(millis)
}

const oneOf = <const Name extends string>(
  query: URLSearchParams,
  name: string,
  names: ReadonlyArray<Name>
): Effect.Effect<Name | undefined, LlmError> => {
  const value = query.get(name)
  const found = names.find((known) => known === value)
  return value === null || found !== undefined
    ? Effect.succeed(found)
    : failure({ _tag: "InvalidRequest", kind: "type", path: name }, `${name} has to be one of ${names.join(", ")}`)
}

const statuses = ["open", "ended"] as const
const outcomes = OutcomeRecord.fields.kind.literals

const calls = json(({ principal, query }) =>
  Effect.gen(function* () {
    const limit = Number(query.get("limit") ?? 20)
    if (!Number.isInteger(limit) || limit < 1) {
      return yield* failure(
        { _tag: "InvalidRequest", kind: "type", path: "limit" },
        "limit has to be a whole number from 1 on; at most 100 records come at a time"
      )
    }
    const given = (name: string) => query.get(name) ?? undefined
    const audit = yield* AuditTrail
    const asked = {
      limit,
      cursor: given("cursor"),
      status: yield* oneOf(query, "status", statuses),
      outcome: yield* oneOf(query, "outcome", outcomes),
      model: given("model"),
      requestId: given("requestId"),
      conversation: given("conversation"),
      // whoever has a key of their own sees the calls of no other
      key: ownName(principal) ?? given("key"),
      openedFrom: yield* moment(query, "from"),
      openedBefore: yield* moment(query, "before")
    }
    return yield* Effect.mapError(audit.list(asked), readFailure)
  })
)

const call = json(({ principal, rest }) =>
  Effect.gen(function* () {
    const audit = yield* AuditTrail
    const record = yield* Effect.mapError(audit.get(rest), readFailure)
    const own = ownName(principal)
    const isSeen = record !== undefined && (own === undefined || record.caller.key === own)
    return isSeen ? record : yield* notFound(`There is no call ${JSON.stringify(rest)}`)
  })
)

const cancelSuffix = "/cancel"

const cancelCall = json(({ principal, rest }) =>
  Effect.gen(function* () {
    const id = rest.slice(0, -cancelSuffix.length)
    const engine = yield* Engine
    if (!rest.endsWith(cancelSuffix) || !(yield* engine.cancel(id, ownName(principal)))) {
      return yield* notFound(`There is no open call ${JSON.stringify(id)}`)
    }
    return { id, cancelled: true }
  })
)

/** The records of calls. Whoever has a key reads and cancels the calls that were made with it. */
export const callRoutes: ReadonlyArray<Route> = [
  { method: "GET", path: "/v1/calls", handle: calls },
  { method: "GET", path: "/v1/calls/*", handle: call },
  { method: "POST", path: "/v1/calls/*", handle: cancelCall }
]
