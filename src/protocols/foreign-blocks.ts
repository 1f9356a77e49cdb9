import type { Message } from "../domain/LlmRequest.ts"
import type { Schema } from "effect"
import type { Notices } from "./Notices.ts"
import { fieldsOf, isObject, type JsonObject } from "./open-document.ts"

interface Block {
  readonly protocol: string
  readonly value: Schema.Json
  readonly told?: true
}

/** The places of an answer that what is said of it is kept by, where it is no block: it is called by what stands there. */
const places: ReadonlySet<string> = new Set(["beside", "candidate", "part", "response"])

/** What says of a block what it is, where no type does. */
const fieldIn = (block: JsonObject): string | undefined => {
  const [[field, value] = []] = Object.entries(block)
  return field !== undefined && places.has(field) && isObject(value)
    ? Object.keys(value)
        .filter((name) => name !== "text")
        .join(", ") || field
    : field
}

/** What a block is called: by its type, or by the field that says what it is, and by whose it is. */
const blockName = ({ protocol, value }: Block): string => {
  const { type = fieldIn(fieldsOf(value)) } = fieldsOf(value)
  return `${typeof type === "string" ? type : "a block"} of ${protocol}`
}

/** Leaves out a block that another format alone has words for. */
export const dropBlock = (block: Block, said: Notices): void => {
  if (block.told !== true) said.dropped(blockName(block))
}

/**
 * What a provider alone has words for, as the format `own` says it: as it stands, or undefined, and said, where it is
 * another's.
 */
export const ownBlock = (block: Block, own: string, said: Notices): JsonObject | undefined => {
  const { protocol, value } = block
  if (protocol === own && isObject(value)) return value
  dropBlock(block, said)
  return undefined
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
      if (part._tag === "Opaque" && part.protocol !== own && part.told !== true) encoding.unsupported(blockName(part))
    }
  }
}
