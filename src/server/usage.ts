import { Effect, Option, Schema } from "effect"
import { ownName } from "../accounting/Access.ts"
import { Ledger } from "../accounting/Ledger.ts"
import { Dimension, type UsageQuery } from "../accounting/Usage.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { checkParameters, day, name, type Parameter, parameter } from "./parameters.ts"
import { json, type Route } from "./Route.ts"

const isDimension = Schema.is(Dimension)

const dimensions: Parameter<ReadonlyArray<Dimension>> = {
  expected: `one or several of ${Dimension.literals.join(", ")}`,
  read: (by) => {
    const named = [...new Set(by.split(",").map((name) => name.trim()))].filter((name) => name !== "")
    const known = named.filter((name) => isDimension(name))
    return known.length === named.length ? known : undefined
  }
}

/** Whose usage is asked for: a key is told of its own alone. */
const keyOf = (query: URLSearchParams, own: string | undefined): Effect.Effect<string | undefined, LlmError> =>
  Effect.flatMap(parameter(query, "key", name), (asked) =>
    own === undefined || asked === undefined || asked === own
      ? Effect.succeed(own ?? asked)
      : failure({ _tag: "PermissionDenied" }, `The key ${JSON.stringify(own)} is told of its own usage alone`)
  )

/** What can be asked for. */
const known = ["by", "from", "to", "key", "tenant", "model"]

/** The usage that a query asks for, of one who has the key `own`; fails with what is wrong with it. */
export const usageQueryOf = (query: URLSearchParams, own?: string): Effect.Effect<UsageQuery, LlmError> =>
  Effect.andThen(
    checkParameters(query, known),
    Effect.all({
      by: Effect.map(parameter(query, "by", dimensions), (by): ReadonlyArray<Dimension> => by ?? ["day"]),
      from: parameter(query, "from", day),
      to: parameter(query, "to", day),
      key: keyOf(query, own),
      tenant: parameter(query, "tenant", name),
      model: parameter(query, "model", name)
    })
  )

/** What was used, divided as one asks. Whoever has a key is told of it alone. */
export const makeUsageRoutes: Effect.Effect<ReadonlyArray<Route>> = Effect.gen(function* () {
  const found = yield* Effect.serviceOption(Ledger)
  if (Option.isNone(found)) return []
  const ledger = found.value
  const usage = json(({ parameters: query, principal }) =>
    Effect.gen(function* () {
      const asked = yield* usageQueryOf(query, ownName(principal))
      return yield* Effect.mapError(ledger.report(asked), () =>
        failure({ _tag: "AuditUnavailable" }, "What was used cannot be read now")
      )
    })
  )
  return [{ method: "GET", path: "/v1/usage", handle: usage }]
})
