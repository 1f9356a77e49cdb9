import { Buffer } from "node:buffer"
import type { EncodedRequest } from "../protocols/Protocol.ts"

/**
 * A header as it is sent: what is not ASCII in it is UTF-8, as it is read from callers. Filters put in what callers say of
 * themselves; one that could not be sent would count as a failure of the provider.
 */
const sent = (value: string): string => Buffer.from(value.replaceAll(/[^\P{Cc}\t]/gu, " "), "utf8").toString("latin1")

/** What a filter adds: in the place of what the format says, never of what the provider's configuration does. */
export const withHeaders = <E extends Pick<EncodedRequest, "headers">>(
  encoded: E,
  headers: EncodedRequest["headers"]
): E => ({
  ...encoded,
  headers: {
    ...encoded.headers,
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, sent(value)]))
  }
})
