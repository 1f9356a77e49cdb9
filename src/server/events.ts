import { Effect } from "effect"
import { ownName, type Principal } from "../accounting/Access.ts"
import { AuditTrail } from "../audit/AuditTrail.ts"
import type { EventSender, EventVerdict } from "../audit/events/EventIntake.ts"
import { nobody } from "../audit/events/outsideOf.ts"
import type { EventRefusal } from "../audit/events/readEvent.ts"
import { adminName } from "../domain/Call.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { parseObject } from "./requests.ts"
import { jsonWithStatus, type Route } from "./Route.ts"

/** So many events may come in one request. */
const mostEvents = 500

const statuses: { readonly [Reason in EventRefusal["reason"]]: number } = {
  invalid: 400,
  conflict: 409,
  forbidden: 403
}

const invalid = (path: string, message: string): LlmError =>
  failure({ _tag: "InvalidRequest", kind: "type", path }, message)

/** The events of a document: several, or the one that it is. */
const eventsOf = (document: {
  readonly [key: string]: unknown
}): Effect.Effect<{ readonly items: ReadonlyArray<unknown>; readonly isBatch: boolean }, LlmError> => {
  const { events, ...others } = document
  if (events === undefined && "type" in document) return Effect.succeed({ items: [document], isBatch: false })
  if (!Array.isArray(events)) {
    return invalid("events", 'events has to be a list of events; one alone may be sent as it is: {"id": …, "type": …}')
  }
  const [other] = Object.keys(others)
  if (other !== undefined) return invalid(other, `${other} is not known beside events; it belongs into each of them`)
  if (events.length === 0) return invalid("events", "events is empty; put at least one into it")
  if (events.length > mostEvents) {
    return invalid("events", `events has ${events.length} events; send at most ${mostEvents} in one request`)
  }
  return Effect.succeed({ items: events, isBatch: true })
}

const senderOf = (principal: Principal): EventSender => {
  const own = ownName(principal)
  return {
    owner: own ?? (principal._tag === "Admin" ? adminName : nobody),
    onlyOwnCalls: own !== undefined
  }
}

/** What the sender is told of one event. */
const shown = (verdict: EventVerdict, place: string) => {
  const { id } = verdict
  if (verdict._tag === "Accepted") return { id, status: "accepted" }
  const { message, path, reason } = verdict.refusal
  const full = place === "" ? path : path === undefined ? place : `${place}.${path}`
  return {
    ...(id === undefined ? {} : { id }),
    status: "refused",
    error: {
      reason,
      ...(full === undefined ? {} : { path: full }),
      message: place === "" ? message : `${place}: ${message}`
    }
  }
}

/** That of the only event; of several 207 where not all were accepted. */
const statusOf = (verdicts: ReadonlyArray<EventVerdict>, isBatch: boolean): number => {
  const refused = verdicts.find((verdict) => verdict._tag === "Refused")
  if (refused === undefined) return 200
  return isBatch ? 207 : statuses[refused.refusal.reason]
}

const tell = jsonWithStatus(({ principal }, text) =>
  Effect.gen(function* () {
    const { isBatch, items } = yield* eventsOf(yield* parseObject(yield* text, Infinity))
    const audit = yield* AuditTrail
    const verdicts = yield* Effect.mapError(audit.tell(items, senderOf(principal)), () =>
      failure({ _tag: "AuditUnavailable" }, "The events cannot be written now; send all of them again")
    )
    const data = verdicts.map((verdict, index) => shown(verdict, isBatch ? `events[${index}]` : ""))
    return { status: statusOf(verdicts, isBatch), body: { data } }
  })
)

/** What applications tell about calls: runs, steps, scores. Whoever has a key tells of the calls that were made with it. */
export const eventsRoute: Route = { method: "POST", path: "/v1/events", handle: tell }
