import { hash } from "node:crypto"
import type { Started } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import type { Notices } from "../Notices.ts"

/** How long the name of an end user may be in OpenAI's APIs, in UTF-16 code units. */
const longest = 64

/**
 * The end user of a request, for an API that refuses long names. That of Claude Code is one: a document with ids in it. What
 * stands for it tells users apart as well.
 */
export const endUser = (user: string | undefined, said: Notices): string | undefined => {
  if (user === undefined || user.length <= longest) return user
  said.add("changed", "user is told by its SHA-256: the API takes no more than 64 characters")
  return hash("sha256", user, "hex")
}

/** A service tier as OpenAI's APIs call it: the usual one has another name in those of Claude, Gemini and Bedrock. */
export const tierFor = (tier: string | undefined): string | undefined =>
  tier === "standard" || tier === "standard_only" ? "default" : tier

/** The tiers that OpenAI's APIs tell of an answer: clients that read them strictly refuse an answer with any other. */
const toldTiers: ReadonlyArray<string> = ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]

/** The beginning of an answer with its service tier as OpenAI's APIs call it. */
export const withToldTier = <S extends Pick<Started, "serviceTier">>(
  started: S,
  said: Notices
): Omit<S, "serviceTier"> & Pick<Started, "serviceTier"> => {
  const { serviceTier, ...others } = started
  const told = tierFor(serviceTier)
  if (told === undefined || toldTiers.includes(told)) return { ...others, ...present({ serviceTier: told }) }
  said.dropped(`the service tier ${told}`)
  return others
}
