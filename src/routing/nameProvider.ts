import { LlmError } from "../domain/LlmError.ts"

/** Says of which provider a failure is that is told in words of Millrace's own; what a provider says itself stays. */
export const nameProvider = (error: LlmError, provider: string): LlmError => {
  switch (error.reason._tag) {
    case "Timeout":
    case "Transport":
    case "IncompleteStream":
    case "InvalidOutput": {
      const { reason, message, retryAfterMs, fault } = error
      return new LlmError({
        reason,
        message: message.replace(/\bthe provider\b/i, `$& ${provider}`),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        fault: { ...fault, provider }
      })
    }
    default:
      return error
  }
}
