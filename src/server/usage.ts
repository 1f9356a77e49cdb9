import { Effect, Option, Schema } from "effect"
import { ownName } from "../accounting/Access.ts"
import { Ledger } from "../accounting/Ledger.ts"
import { Dimension } from "../accounting/Usage.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { checkParameters, wrongParameter } from "./parameters.ts"
import { json, type Route } from "./Route.ts"

const isDimension = Schema.is(Dimension)

const dimensionsOf = (by: string): Effect.Effect<ReadonlyArray<Dimension>, LlmError> => {
  const named = [...new Set(by.split(",").map((name) => name.trim()))].filter((name) => name !== "")
  const known = named.filter((name) => isDimension(name))
  return known.length === named.length
    ? Effect.succeed(known)
    : wrongParameter("by", `one or several of ${Dimension.literals.join(", ")}`)
}

const dayOf = (query: URLSearchParams, name: "from" | "to"): Effect.Effect<string | undefined, LlmError> => {
  const day = query.get(name)
  if (day === null) return Effect.undefined
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? Effect.succeed(day) : wrongParameter(name, "a day such as 2026-11-21 (UTC)")
}

/** What was used, divided as one asks. Whoever has a key is told of it alone. */
export const makeUsageRoutes: Effect.Effect<ReadonlyArray<Route>> = Effect.gen(function* () {
  const found = yield* Effect.serviceOption(Ledger)
  if (Option.isNone(found)) return []
  const ledger = found.value
  const usage = json(({ parameters: query, principal }) =>
    Effect.gen(function* () {
      yield* checkParameters(query, ["by", "from", "to", "key", "tenant", "model"])
      const asked = {
        by: yield* dimensionsOf(query.get("by") ?? "day"),
        from: yield* dayOf(query, "from"),
        to: yield* dayOf(query, "to"),
        key: ownName(principal) ?? query.get("key") ?? undefined,
        tenant: query.get("tenant") ?? undefined,
        model: query.get("model") ?? undefined
      }
      return yield* Effect.mapError(ledger.report(asked), () =>
        failure({ _tag: "AuditUnavailable" }, "What was used cannot be read now")
      )
    })
  )
  return [{ method: "GET", path: "/v1/usage", handle: usage }]
})
