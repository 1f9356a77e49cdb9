import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { Notices } from "./Notices.ts"
import { isObject, type JsonObject } from "./open-document.ts"

type Call = Pick<Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>, "origin" | "providerExecuted">

/** What every format has a word of its own for: which kind of block a call is, and the block's id. */
const usual: ReadonlyArray<string> = ["type", "id"]

/**
 * What the format `own` says of a call beyond what every format says. What another one says of it (the signature that its
 * provider wants back with the call, the program that made it) has no place there and is noticed. A call that a provider
 * ran itself is not sent back as such; the notice of its result says that it is another's.
 */
export const callFields = ({ origin, providerExecuted }: Call, own: string, said: Notices): JsonObject => {
  if (origin === undefined || !isObject(origin.value)) return {}
  if (origin.protocol === own) return origin.value
  if (providerExecuted === true) return {}
  for (const field of Object.keys(origin.value)) if (!usual.includes(field)) said.dropped(`${field} of a tool call`)
  return {}
}
