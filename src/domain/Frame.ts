import type { LlmEvent } from "./LlmEvent.ts"
import type { Delivery } from "./LlmRequest.ts"

/**
 * What one upstream frame was, together with the events it decoded to.
 *
 * `raw` is the frame's exact text in the wire format `protocol`: one frame of a stream, or the whole body, as `delivery`
 * says (the empty text stands for an ending that the provider left out). A stage that leaves an
 * event alone passes the same object on, so a frame whose events all come through is unchanged and can be sent verbatim
 * to a caller of the same format. A frame that was made or changed on the way has no `raw`. A frame without events
 * (a ping, an event nobody knows) is verbatim text only.
 */
export interface Frame {
  readonly protocol: string
  readonly delivery: Delivery
  readonly raw: string | undefined
  readonly events: ReadonlyArray<LlmEvent>
}

/** A frame that was never on a wire: it is rendered by whoever sends it. */
export const frameOf = (events: ReadonlyArray<LlmEvent>): Frame => ({
  protocol: "",
  delivery: "stream",
  raw: undefined,
  events
})
