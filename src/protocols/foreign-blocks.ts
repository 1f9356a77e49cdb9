import type { Message, OpaquePart } from "../domain/LlmRequest.ts"
import type { Schema } from "effect"
import type { Notices } from "./Notices.ts"
import { fieldsOf, isObject, type JsonObject } from "./open-document.ts"

/**
 * What a provider alone has words for, as the format `own` says it: as it stands, or undefined, and said, where it is
 * another's.
 */
export const ownBlock = (
  { protocol, value }: { readonly protocol: string; readonly value: Schema.Json },
  own: string,
  said: Notices
): JsonObject | undefined => {
  if (protocol === own && isObject(value)) return value
  said.dropped(`a block of ${protocol}`)
  return undefined
}

/** What a block is called: by its type, or by the field that says what it is. */
const kindOf = ({ value }: OpaquePart): string => {
  const { type = Object.keys(fieldsOf(value))[0] } = fieldsOf(value)
  return typeof type === "string" ? type : "a block"
}

/**
 * Refuses a conversation in which the user says something in a block that only another format than `own` knows: an answer
 * without it would be an answer to another question.
 */
export const refuseForeignInput = (
  messages: ReadonlyArray<Message>,
  own: string,
  encoding: { readonly unsupported: (feature: string) => void }
): void => {
  for (const { parts, role } of messages) {
    if (role !== "user") continue
    for (const part of parts) {
      if (part._tag === "Opaque" && part.protocol !== own) encoding.unsupported(`${kindOf(part)} of ${part.protocol}`)
    }
  }
}
