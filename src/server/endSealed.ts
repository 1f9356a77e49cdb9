import { Effect } from "effect"
import type { LlmError } from "../domain/LlmError.ts"
import type { CallDelivery } from "../engine/CallState.ts"
import type { OpenCall } from "../engine/Engine.ts"
import type { Seal } from "../engine/sealing.ts"
import type { StreamRenderer } from "../protocols/Dialect.ts"
import type { ResponseWriter } from "./ResponseWriter.ts"

/** Who sends a stream, to whom, and for which call. */
export interface Relaying {
  readonly opened: OpenCall
  readonly renderer: StreamRenderer
  readonly writer: ResponseWriter
}

/**
 * Sends the last bytes of a stream when the record of its end is written. `error` is what they tell, where that is a failure:
 * this one is told in any case, and does not fail the effect. A good end is not told without its record, unless the policy
 * allows that: the caller is told a failure instead.
 */
export const endSealed = (
  seal: Seal,
  ending: string,
  error: LlmError | undefined,
  { opened, renderer, writer }: Relaying
): Effect.Effect<void, LlmError> =>
  Effect.suspend(() => {
    writer.awaitEnd()
    for (const notice of renderer.notices) opened.notice(notice)
    return sealed(seal, opened, writer.bytes + Buffer.byteLength(ending), error)
  }).pipe(
    Effect.matchEffect({
      onSuccess: () => Effect.sync(() => writer.end(ending)),
      onFailure: (unsealed) => {
        if (error !== undefined) return Effect.sync(() => writer.end(ending))
        // A failure that has a status of its own is told by whoever asked for the stream.
        if (writer.begun) writer.end(renderer.insteadOfEnd(unsealed))
        return Effect.fail(unsealed)
      }
    })
  )

/** Completes when the record of a call's end is written: what will have been delivered is so many bytes. */
export const sealed = (
  seal: Seal,
  { delivery }: { readonly delivery: Pick<CallDelivery, "bytes" | "complete"> },
  bytes: number,
  error?: LlmError
): Effect.Effect<void, LlmError> =>
  Effect.suspend(() => {
    delivery.bytes = bytes
    delivery.complete = error === undefined
    return seal(error)
  }).pipe(Effect.onError(() => Effect.sync(() => void (delivery.complete = false))))
