import { Result } from "effect"
import { stringifyOrdered } from "../../domain/canonical-json.ts"
import { type CaptureLevel, captureText, fingerprint } from "../Capture.ts"
import type { Redaction } from "../Redaction.ts"
import type { EventRow } from "./EventStore.ts"
import { contentKeys, type EventContent, type OutsideEvent } from "./OutsideEvent.ts"

/** What of events is kept. */
export interface EventPolicy {
  readonly capture: CaptureLevel
  readonly redact: Redaction | undefined
}

const isContent = (key: string): boolean => contentKeys.some((known) => known === key)

const redacted = (content: EventContent, redact: Redaction["event"]): EventContent => {
  if (redact === undefined) return content
  return Result.getOrElse(
    Result.try(() => redact(content)),
    () => ({})
  )
}

/** The row of an event of `owner` that came at `receivedAt` (epoch milliseconds). */
export const eventRow = (
  event: OutsideEvent,
  owner: string,
  receivedAt: number,
  { capture: level, redact }: EventPolicy
): EventRow => {
  const entries = Object.entries(event)
  const head = Object.fromEntries(entries.filter(([key]) => !isContent(key)))
  const said: EventContent = Object.fromEntries(entries.filter(([key]) => isContent(key)))
  const hasContent = Object.keys(said).length > 0
  const content = hasContent ? redacted(said, redact?.event) : said
  const kept = level === "full" ? content : {}
  // Of content that is not kept the fingerprint is, so that it is known when it comes again.
  const payload = level === "full" || !hasContent ? undefined : captureText(level, stringifyOrdered(content)).payload
  const body = stringifyOrdered({ ...head, ...kept, ...(payload === undefined ? {} : { content: payload }) })
  return {
    owner,
    id: event.id,
    hash: fingerprint(body),
    call: event.call ?? null,
    run: event.run ?? null,
    at: event.at ?? null,
    receivedAt,
    body
  }
}
