import { hash } from "node:crypto"
import type { Call } from "../domain/Call.ts"
import { isInstruction, type LlmRequest, type Message } from "../domain/LlmRequest.ts"

/**
 * What a call belongs to. `key` tells conversations of different callers apart; `earlier` is the id of the answer that the
 * request goes on from, where its history is not in the request but with the provider.
 */
export interface ConversationId {
  readonly id: string
  readonly key: string
  readonly earlier: string | undefined
  /** the history is kept by somebody else: everything in the request is new */
  readonly continues: boolean
}

const textOf = ({ parts }: Message): string =>
  parts.flatMap((part) => (part._tag === "Text" ? [part.text] : [])).join("\n")

const earlierFields = ["previous_response_id", "previous_interaction_id"]

/** What the caller's own format says of the conversation: its id, or the answer before. */
const stated = ({ extensions = {} }: LlmRequest): { readonly conversation?: string; readonly earlier?: string } => {
  for (const fields of Object.values(extensions)) {
    for (const field of earlierFields) {
      const earlier = fields[field]
      if (typeof earlier === "string" && earlier !== "") return { earlier }
    }
    const { conversation } = fields
    if (typeof conversation === "string") return { conversation }
    if (typeof conversation === "object" && conversation !== null && "id" in conversation) {
      return { conversation: String(conversation.id) }
    }
  }
  return {}
}

/** A name that is longer is known by its fingerprint: a database has it in an index, which holds no long texts. */
const maxName = 512

const bounded = (name: string): string => (name.length <= maxName ? name : `long-${hash("sha256", name, "hex")}`)

/** What a conversation without a name is known by: its instructions and how it began. */
const derived = ({ messages }: LlmRequest): string => {
  let instructions = ""
  let opening: string | undefined
  for (const message of messages) {
    if (isInstruction(message)) instructions += `${textOf(message)}\0`
    else if (message.role === "user") opening ??= textOf(message)
  }
  return `derived-${hash("sha256", `${instructions}\0${opening ?? ""}`, "hex").slice(0, 24)}`
}

/**
 * The conversation of a call: the one its header names, else the one that its format names or goes on from, else one that
 * is derived from key, instructions and the first message of the user.
 */
export const conversationIdOf = ({ caller, conversation: named, request }: Call): ConversationId => {
  const { conversation, earlier } = stated(request)
  const id = bounded(named ?? conversation ?? earlier ?? derived(request))
  const owner = JSON.stringify([caller.tenant ?? "", caller.key ?? ""])
  return { id, key: `${owner} ${id}`, earlier, continues: conversation !== undefined || earlier !== undefined }
}
