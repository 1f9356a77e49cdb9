import { anthropicMessagesId } from "../anthropic-messages/wire.ts"
import { bedrockConverseId } from "./wire.ts"

/** Encrypted reasoning, and the format in whose form it is. */
export interface Redacted {
  readonly redacted: string
  readonly origin: string
}

/**
 * Encrypted reasoning is bytes here, in base64. Claude's bytes are the text that the Messages API calls its data: in that
 * form it is handed on, since both platforms take it back. Other bytes stay as they are.
 */
export const decodeRedacted = (content: string): Redacted => {
  const data = Buffer.from(content, "base64").toString("utf8")
  return /^[\w+/=-]+$/.test(data) && encodedData(data) === content
    ? { redacted: data, origin: anthropicMessagesId }
    : { redacted: content, origin: bedrockConverseId }
}

/** What `decodeRedacted` was given. */
export const encodeRedacted = ({ redacted, origin }: Redacted): string =>
  origin === anthropicMessagesId ? encodedData(redacted) : redacted

const encodedData = (data: string): string => Buffer.from(data, "utf8").toString("base64")
