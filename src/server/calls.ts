import { Effect } from "effect"
import { ownName } from "../accounting/Access.ts"
import { AuditTrail } from "../audit/AuditTrail.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { Engine } from "../engine/Engine.ts"
import type { StorageError } from "../storage/Database.ts"
import { json, notFound, type Route } from "./Route.ts"

const readFailure = (error: StorageError | LlmError): LlmError =>
  error._tag === "LlmError" ? error : failure({ _tag: "AuditUnavailable" }, "The records cannot be read now")

const calls = json(({ principal, query }) =>
  Effect.gen(function* () {
    const limit = Number(query.get("limit") ?? 20)
    if (!Number.isInteger(limit) || limit < 1) {
      return yield* failure(
        { _tag: "InvalidRequest", kind: "type", path: "limit" },
        "limit has to be a whole number from 1 on; at most 100 records come at a time"
      )
    }
    const cursor = query.get("cursor")
    const audit = yield* AuditTrail
    return yield* Effect.mapError(
      audit.list({ limit, cursor: cursor ?? undefined, key: ownName(principal) }),
      readFailure
    )
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
