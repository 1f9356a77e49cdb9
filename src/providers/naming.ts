import { Redacted } from "effect"
import { LlmError, type ProviderFault } from "../domain/LlmError.ts"
import { present } from "../domain/present.ts"
import type { Deployment } from "./Deployment.ts"

/** What is shorter is no key (a local server takes anything for one), and may be a part of any word. */
const shortestSecret = 7
/** Headers say other things as well. */
const shortestHeaderSecret = 16

/**
 * Puts the provider's name into what it said, so that nobody takes it for Millrace's own word, and takes out the secrets,
 * which some repeat to whoever shows a wrong one.
 */
export const naming = ({ provider, apiKey, headers, signer }: Deployment) => {
  // A key may be configured as a header, perhaps after the name of a scheme.
  const inHeaders = Object.values(headers)
    .flatMap((value) => value.split(" "))
    .filter((word) => word.length >= shortestHeaderSecret)
  const without = (text: string): string =>
    // Asked anew: a signer may have come by another one.
    [...(apiKey === undefined ? [] : [apiKey]), ...(signer?.secrets ?? [])]
      .map(Redacted.value)
      .filter((secret) => secret.length >= shortestSecret)
      .concat(inHeaders)
      .reduce((shown, secret) => shown.replaceAll(secret, "<redacted>"), text)
  // Callers have keys of their own, which are not the ones that were refused.
  const ownKey = `the provider ${provider} did not accept the key that it is configured with`
  return (error: LlmError): LlmError => {
    const { raw, ...fault } = error.fault ?? {}
    return new LlmError({
      reason: error.reason,
      message: without(error.reason._tag === "Unauthorized" ? `${error.message} (${ownKey})` : error.message),
      ...present({ retryAfterMs: error.retryAfterMs }),
      fault: { ...fault, ...(raw === undefined ? {} : { raw: without(raw) }), provider } satisfies ProviderFault
    })
  }
}
