import { Effect, Schema } from "effect"
import { StorageError } from "../../storage/Database.ts"
import { type EventStore, mostEventsRead } from "./EventStore.ts"
import { foldEvents } from "./foldEvents.ts"
import { OutsideEvent } from "./OutsideEvent.ts"
import type { OutsideRecord } from "./RunRecord.ts"

/** Under this label stands what was told while no key was asked for. */
export const nobody = ""

const decodeEvent = Schema.decodeUnknownEffect(Schema.fromJsonString(OutsideEvent))

/** What was told about a call by whoever may: `owners` are the labels of their keys. */
export const outsideOf = Effect.fnUntraced(function* (
  events: EventStore,
  call: string,
  owners: ReadonlyArray<string>
): Effect.fn.Return<OutsideRecord, StorageError> {
  const found = yield* events.of(call, owners)
  if (found.length === 0) return {}
  const told = yield* Effect.forEach(found.slice(0, mostEventsRead), ({ body, id, owner }) =>
    Effect.mapBoth(decodeEvent(body), {
      onSuccess: (event) => ({ owner, event }),
      onFailure: ({ message }) =>
        new StorageError({ operation: "query", kind: "corrupt", message: `the event ${id}: ${message}` })
    })
  )
  return { ...foldEvents(told), ...(found.length > mostEventsRead ? { moreEvents: true } : {}) }
})
