import type { Schema } from "effect"
import { isClaude } from "../claude/traits.ts"
import { lacksThought, thoughtlessCalls, type BlockKind } from "../claude/thinking.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { isUnchanged } from "../unchanged.ts"
import { notTakenBack } from "./encode-parts.ts"
import type { MessagesEncoding } from "./encoding.ts"
import { isSealedBlock } from "./thinking.ts"

type Json = Schema.Json

/**
 * A request that goes on as its caller wrote it, without what would be refused of turns that another provider made. What was
 * sealed for the caller no server of this format can read. Claude takes back no thoughts without a signature, no text of
 * nothing but white space, no turn of nothing, and no id of a call that comes twice or holds other characters than its own; and
 * a budget to think goes where it would miss the thoughts.
 */
export const takeable = (body: JsonObject, model: string, encoding: MessagesEncoding): JsonObject => {
  const { messages } = body
  if (!Array.isArray(messages)) return body
  const claude = isClaude(model)
  const kept = messages.flatMap((message, at) => takeableTurn(message, at === messages.length - 1, claude, encoding))
  if (!claude && isUnchanged(kept, messages)) return body
  const { thinking, ...others } = body
  const budgeted = isObject(thinking) && thinking["type"] === "enabled"
  if (budgeted && lacksThought(kept.filter(isObject), blockKind)) {
    encoding.dropped(...thoughtlessCalls)
    return { ...others, messages: kept }
  }
  return isUnchanged(kept, messages) ? body : { ...body, messages: kept }
}

const takeableTurn = (
  message: Json,
  last: boolean,
  claude: boolean,
  encoding: MessagesEncoding
): ReadonlyArray<Json> => {
  if (!isObject(message)) return [message]
  const { content, role } = message
  const said = role === "assistant"
  if (!Array.isArray(content)) return claude && said && !last && isBlank(content) ? [] : [message]
  const known = content.filter((block) => !(isObject(block) && (isSealedBlock(block) || (claude && isUnsigned(block)))))
  if (known.length < content.length) encoding.dropped(...notTakenBack)
  const left = claude ? known.flatMap((block) => takeableBlock(block, said, encoding)) : known
  if (left.length === 0 && (content.length > 0 || (claude && said && !last))) return []
  return isUnchanged(left, content) ? [message] : [{ ...message, content: left }]
}

const isUnsigned = ({ type, signature }: JsonObject): boolean => type === "thinking" && !signature

const isBlank = (text: Json | undefined): boolean => typeof text === "string" && text.trim() === ""

const takeableBlock = (block: Json, said: boolean, { callIds }: MessagesEncoding): ReadonlyArray<Json> => {
  if (!isObject(block)) return [block]
  switch (block["type"]) {
    case "text":
      // What the user says is the caller's own affair.
      return said && isBlank(block["text"]) ? [] : [block]
    case "tool_use":
      return [withId(block, "id", (id) => callIds.call(id))]
    case "tool_result":
      return [withId(block, "tool_use_id", (id) => callIds.result(id))]
    default:
      return [block]
  }
}

const withId = (block: JsonObject, field: string, taken: (id: string) => string): JsonObject => {
  const id = block[field]
  const other = typeof id === "string" ? taken(id) : id
  return other === undefined || other === id ? block : { ...block, [field]: other }
}

/** What a block is to a model that is to think. */
export const blockKind = ({ type }: JsonObject): BlockKind =>
  type === "thinking" || type === "redacted_thinking" ? "thought" : type === "tool_result" ? "result" : "other"
