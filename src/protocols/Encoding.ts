import { Result } from "effect"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { CacheMarker, Extensions, Message, OpaquePart } from "../domain/LlmRequest.ts"
import { ownBlock } from "./foreign-blocks.ts"
import { foreignFields } from "./foreign-fields.ts"
import { Notices } from "./Notices.ts"
import type { JsonObject } from "./open-document.ts"
import type { EncodedRequest } from "./Protocol.ts"

/** What any part, tool or message may have besides its own fields. */
export interface Marked {
  readonly cache?: CacheMarker
  readonly extensions?: Extensions
}

/** Google knows the files that it stores by addresses, and everybody else by ids. */
const isAddress = (id: string): boolean => /^[a-z][a-z0-9+.-]*:|^files\//.test(id)

/**
 * What is noticed while a request is encoded: what had to be left out, and the first thing that must not be. `protocol` is
 * the format that it is encoded for, `api` how its API is called in messages.
 */
export class Encoding extends Notices {
  failure: LlmError | undefined
  private readonly protocol: string
  private readonly api: string

  constructor(protocol: string, api: string) {
    super(`${api} has no counterpart`)
    this.protocol = protocol
    this.api = api
  }

  /** Input that the target cannot take: an answer without it would be an answer to another question. */
  unsupported(feature: string): void {
    this.failure ??= failure({ _tag: "Unsupported", feature }, `${this.api} does not take ${feature}`)
  }

  /** Whether a stored file can be one of this API, which knows its own by addresses or by ids; said where it cannot. */
  holds(id: string, knownBy: "address" | "id"): boolean {
    const held = isAddress(id) === (knownBy === "address")
    if (!held) this.unsupported("a file that is stored with another provider")
    return held
  }

  /** A number as near to what was asked for as the API goes. */
  within(name: string, value: number | undefined, least: number, most: number): number | undefined {
    if (value === undefined || (value >= least && value <= most)) return value
    const nearest = Math.min(most, Math.max(least, value))
    this.add("changed", `${name} ${value} is ${nearest}: ${this.api} goes from ${least} to ${most}`)
    return nearest
  }

  /** What the format itself kept in `extensions`; what another one kept there for itself is dropped. */
  own(extensions: Extensions | undefined): JsonObject {
    for (const field of foreignFields(extensions, this.protocol)) this.dropped(field)
    return extensions?.[this.protocol] ?? {}
  }

  /** As `own`, for what may also be marked for the cache of a provider, in a format without such marks. */
  unmarked({ cache, extensions }: Marked): JsonObject {
    if (cache !== undefined) this.dropped("a cache marker", `${this.api} caches prompts by itself or not at all`)
    return this.own(extensions)
  }

  /** As `own`, for a message in a format whose messages have no names. */
  nameless({ name, extensions }: Message): JsonObject {
    if (name !== undefined) this.dropped("the name of a message")
    return this.own(extensions)
  }

  /** The block that a provider's own block is here: itself, or none where another format alone knows it. */
  ownBlocks(part: OpaquePart): ReadonlyArray<JsonObject> {
    const block = ownBlock(part, this.protocol, this)
    return block === undefined ? [] : [block]
  }

  /** What is sent, or the reason why nothing is. */
  encoded(request: Omit<EncodedRequest, "notices">): Result.Result<EncodedRequest, LlmError> {
    return this.failure === undefined ? Result.succeed({ ...request, notices: this.list }) : Result.fail(this.failure)
  }
}
