import { failure, type LlmError } from "./LlmError.ts"
import type { LlmRequest } from "./LlmRequest.ts"

/** The failure of a request that needs what a target does not have. `protocol` is what the target speaks, if any. */
export const unmetRequirement = ({ requires }: LlmRequest, protocol: string | undefined): LlmError | undefined =>
  requires === undefined || requires.protocol === protocol
    ? undefined
    : failure({ _tag: "Unsupported", feature: requires.feature }, requires.message)
