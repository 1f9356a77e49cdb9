import { Cause, Effect } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"

/** What went wrong, as a failure that can be told. Interruption is not told: there is nobody left to tell. */
export const explain = (cause: Cause.Cause<LlmError>): Effect.Effect<LlmError> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
  const found = Cause.findErrorOption(cause)
  if (found._tag === "Some") return Effect.succeed(found.value)
  return Effect.as(
    Effect.logError("A request failed because of a defect", cause),
    failure({ _tag: "Internal" }, "Millrace failed to handle the request; its log says why")
  )
}
