import { Cause, Predicate } from "effect"
import type { LlmError } from "../domain/LlmError.ts"

/** The failure that an upstream told; undefined where it died, or failed with what is none, such as an error of an SDK. */
export const describedIn = ({ reasons }: Cause.Cause<LlmError>): LlmError | undefined => {
  const error = reasons.find((reason) => Cause.isFailReason(reason))?.error
  return Predicate.isTagged(error, "LlmError") ? error : undefined
}
