import type { Call, OpenRecord, Origin } from "../domain/Call.ts"
import type { CallState } from "./CallState.ts"

/** The record of a call that begins. What filters changed of its request is recorded as they left it. */
export const openRecordOf = ({ call, handedTo, id, openedAt, request }: CallState): OpenRecord => ({
  id,
  ...(call.requestId === undefined ? {} : { requestId: call.requestId }),
  ...(call.dialect === undefined ? {} : { dialect: call.dialect }),
  model: call.request.model,
  delivery: call.delivery,
  caller: call.caller,
  ...(call.conversation === undefined ? {} : { conversation: call.conversation }),
  openedAt,
  ...(call.askedBy === undefined ? {} : { askedBy: call.askedBy }),
  ...(handedTo.length === 0 ? {} : { handedTo }),
  ...(request === call.request
    ? {
        request: call.origin?.body ?? call.request,
        ...(call.origin === undefined ? {} : { requestText: call.origin.text })
      }
    : { request })
})

/** The call with the request as its filters left it. What the caller wrote is then nobody's business any more. */
export const asItWent = ({ call, request }: CallState): Call => {
  if (request === call.request) return call
  const { origin: _, ...rest } = call
  return { ...rest, request: { ...request, model: call.request.model } }
}

/**
 * The caller's document as it goes on where filters looked at it: what was read, not the text that it was read from. Of a
 * name that comes twice, say, they saw one value, and a provider may take the other.
 */
export const asRead = (origin: Origin): Origin => ({ ...origin, text: JSON.stringify(origin.body) })
