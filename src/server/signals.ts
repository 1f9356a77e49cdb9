import { Effect, Option } from "effect"
import { ownName } from "../accounting/Access.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { qualityLevels } from "../signals/Signal.ts"
import { Signals } from "../signals/Signals.ts"
import type { ReportPosition, SignalFilter } from "../signals/SignalStore.ts"
import { checkParameters, moment, oneOf, parameter, type Parameter, whole } from "./parameters.ts"
import { json, type Match, notFound, type Route } from "./Route.ts"

const unreadable = (): LlmError => failure({ _tag: "AuditUnavailable" }, "The signals cannot be read now")

const truth: Parameter<boolean> = {
  expected: "true or false",
  read: (text) => (text === "true" ? true : text === "false" ? false : undefined)
}

const filterOf = Effect.fnUntraced(function* ({
  parameters: query,
  principal
}: Match): Effect.fn.Return<SignalFilter, LlmError> {
  const own = ownName(principal)
  return {
    flagged: yield* parameter(query, "flagged", truth),
    quality: yield* parameter(query, "quality", oneOf(qualityLevels)),
    type: query.get("type") ?? undefined,
    model: query.get("model") ?? undefined,
    key: own ?? query.get("key") ?? undefined,
    conversation: query.get("conversation") ?? undefined,
    openedFrom: yield* parameter(query, "from", moment),
    openedBefore: (yield* parameter(query, "to", moment)) ?? (yield* parameter(query, "before", moment))
  }
})

const known = ["flagged", "quality", "type", "model", "key", "conversation", "from", "to", "before"].concat([
  "sample",
  "seed",
  "limit",
  "cursor"
])

// A cursor names the last call of a page, so that calls which end meanwhile do not move the next one.
const cursor: Parameter<ReportPosition> = {
  expected: "one that a list has given",
  read: (text) => {
    const [, openedAt, call] = /^(\d{1,15}(?:\.\d+)?)~(.+)$/.exec(text) ?? []
    return openedAt === undefined || call === undefined ? undefined : { openedAt: Number(openedAt), call }
  }
}

const most = 100

const list = (signals: Signals["Service"]) =>
  json((match) =>
    Effect.gen(function* () {
      const query = match.parameters
      yield* checkParameters(query, known)
      const filter = yield* filterOf(match)
      const size = yield* parameter(query, "sample", whole())
      if (size !== undefined) {
        const seed = yield* parameter(query, "seed", whole())
        const data = yield* Effect.mapError(signals.sample(filter, Math.min(size, most), seed ?? 1), unreadable)
        return { data }
      }
      const limit = yield* parameter(query, "limit", whole("; at most 100 come at a time"))
      const page = Math.min(limit ?? 20, most)
      const after = yield* parameter(query, "cursor", cursor)
      const found = yield* Effect.mapError(signals.list(filter, page + 1, after), unreadable)
      const data = found.slice(0, page)
      const last = data.at(-1)
      return {
        data,
        nextCursor: found.length > page && last !== undefined ? `${Math.floor(last.openedAt)}~${last.call}` : undefined
      }
    })
  )

const one = (signals: Signals["Service"]) =>
  json(({ principal, rest }) =>
    Effect.gen(function* () {
      const report = yield* Effect.mapError(signals.get(rest), unreadable)
      const own = ownName(principal)
      const isSeen = report !== undefined && (own === undefined || report.key === own)
      return isSeen
        ? report
        : yield* notFound(
            `There are no signals of a call ${JSON.stringify(rest)}; they are read shortly after a call has ended`
          )
    })
  )

/** What conversations show of how they go, where the program reads them. Whoever has a key sees the calls made with it. */
export const makeSignalRoutes: Effect.Effect<ReadonlyArray<Route>> = Effect.map(
  Effect.serviceOption(Signals),
  Option.match({
    onNone: () => [],
    onSome: (signals) => [
      { method: "GET", path: "/v1/signals", handle: list(signals) },
      { method: "GET", path: "/v1/signals/*", handle: one(signals) }
    ]
  })
)
