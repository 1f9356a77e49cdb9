import type { CacheMarker } from "../../domain/LlmRequest.ts"
import { CallIds, plainCallId } from "../CallIds.ts"
import { Encoding } from "../Encoding.ts"
import type { JsonObject } from "../open-document.ts"
import type { Quirks } from "../Protocol.ts"
import { anthropicMessagesId } from "./wire.ts"

/** A request of this API while it is made. */
export class MessagesEncoding extends Encoding {
  readonly callIds = new CallIds(plainCallId)
  private readonly shortCache: boolean

  constructor({ shortCache }: Quirks) {
    super(anthropicMessagesId, "the Messages API")
    this.shortCache = shortCache === true
  }

  /** A marker of the cache as a field; five minutes is what goes without saying. */
  cacheControl(cache: CacheMarker | undefined): JsonObject | undefined {
    if (cache === undefined) return undefined
    const { ttl } = cache
    if (!this.shortCache || ttl === undefined) return { type: "ephemeral", ...cache }
    if (ttl !== "5m") this.add("changed", `a cache marker for ${ttl} is one for 5m`)
    return { type: "ephemeral" }
  }
}
