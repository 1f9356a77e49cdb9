import { DateTime, Effect, Option } from "effect"
import { ownName } from "../accounting/Access.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { qualityLevels } from "../signals/Signal.ts"
import { Signals } from "../signals/Signals.ts"
import type { ReportPosition, SignalFilter } from "../signals/SignalStore.ts"
import { json, type Match, notFound, type Route } from "./Route.ts"

const invalid = (path: string, expected: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind: "type", path }, `${path} has to be ${expected}`)

const unreadable = (): LlmError => failure({ _tag: "AuditUnavailable" }, "The signals cannot be read now")

/** The value of a parameter, as `read` understands it; it gives undefined for what it does not. */
const parameter = <A>(
  query: URLSearchParams,
  name: string,
  expected: string,
  read: (text: string) => A | undefined
): Effect.Effect<A | undefined, LlmError> => {
  const text = query.get(name)
  if (text === null) return Effect.undefined
  const value = read(text)
  return value === undefined ? invalid(name, expected) : Effect.succeed(value)
}

const whole = (text: string): number | undefined =>
  /^\d{1,9}$/.test(text) && Number(text) > 0 ? Number(text) : undefined

const moment = (text: string): number | undefined =>
  /^\d{1,15}$/.test(text)
    ? Number(text)
    : Option.getOrUndefined(Option.map(DateTime.make(text), DateTime.toEpochMillis))

const expectedMoment = "a time such as 2027-01-31T12:00:00Z, or in milliseconds since 1970"

const filterOf = Effect.fnUntraced(function* ({ principal, query }: Match): Effect.fn.Return<SignalFilter, LlmError> {
  const own = ownName(principal)
  return {
    flagged: yield* parameter(query, "flagged", "true or false", (text) =>
      text === "true" ? true : text === "false" ? false : undefined
    ),
    quality: yield* parameter(query, "quality", `one of ${qualityLevels.join(", ")}`, (text) =>
      qualityLevels.find((level) => level === text)
    ),
    type: query.get("type") ?? undefined,
    model: query.get("model") ?? undefined,
    key: own ?? query.get("key") ?? undefined,
    conversation: query.get("conversation") ?? undefined,
    openedFrom: yield* parameter(query, "from", expectedMoment, moment),
    openedBefore: yield* parameter(query, "before", expectedMoment, moment)
  }
})

// A cursor names the last call of a page, so that calls which end meanwhile do not move the next one.
const positionOf = (text: string): ReportPosition | undefined => {
  const [, openedAt, call] = /^(\d{1,15}(?:\.\d+)?)~(.+)$/.exec(text) ?? []
  return openedAt === undefined || call === undefined ? undefined : { openedAt: Number(openedAt), call }
}

const most = 100

const list = (signals: Signals["Service"]) =>
  json((match) =>
    Effect.gen(function* () {
      const { query } = match
      const filter = yield* filterOf(match)
      const size = yield* parameter(query, "sample", "a whole number from 1 on", whole)
      if (size !== undefined) {
        const seed = yield* parameter(query, "seed", "a whole number from 1 on", whole)
        const data = yield* Effect.mapError(signals.sample(filter, Math.min(size, most), seed ?? 1), unreadable)
        return { data }
      }
      const limit = yield* parameter(query, "limit", "a whole number from 1 on; at most 100 come at a time", whole)
      const page = Math.min(limit ?? 20, most)
      const after = yield* parameter(query, "cursor", "one that a list has given", positionOf)
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
