import { Effect, Stream } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { HttpAnswer } from "./HttpTransport.ts"

/** The text of a whole answer. Fails where it is larger than `limit` bytes, without reading on. */
export const collectBody = (answer: HttpAnswer, limit: number): Effect.Effect<string, LlmError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return Stream.runForEachArray(answer.body, (batch) => {
      for (const chunk of batch) {
        chunks.push(chunk)
        size += chunk.length
      }
      return size > limit
        ? failure(
            { _tag: "InvalidOutput", kind: "frameTooLarge" },
            `The provider's answer is larger than ${limit} bytes`
          )
        : Effect.void
    }).pipe(Effect.map(() => Buffer.concat(chunks).toString("utf8")))
  })
