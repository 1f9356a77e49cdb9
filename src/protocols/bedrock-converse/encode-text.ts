import type { TextPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { ownExtension } from "../anthropic-messages/extension.ts"
import { passagesOf } from "../anthropic-messages/passages.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { citationOf } from "./citations.ts"
import type { ConverseEncoding } from "./encoding.ts"

/**
 * The block of a text. What a caller of the Messages API said of it is said to Claude here too: that it is a document or a
 * result of a search, to be cited, and what an earlier answer cited.
 */
export const encodeText = (part: TextPart, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  const { text } = part
  const { block, citations } = encoding.traits.family === "claude" ? ownExtension(part.extensions) : {}
  encoding.own(encoding.withoutClaude(part.extensions, ["block", ...(Array.isArray(citations) ? ["citations"] : [])]))
  // The API refuses the whole request for a text of nothing but white space.
  if (text.trim() === "") return []
  if (isObject(block) && !isPlain(block)) return [blockOf(block, text, encoding)]
  if (!Array.isArray(citations)) return [{ text }]
  const cited = citations.flatMap((citation) => citationOf(citation) ?? [])
  if (cited.length < citations.length) encoding.dropped("a citation of an earlier answer")
  return cited.length === 0 ? [{ text }] : [{ citationsContent: { content: [{ text }], citations: cited } }]
}

/** What was said so far, in short, and the names of tools that were found are texts here. */
const isPlain = ({ type }: JsonObject): boolean => type === "compaction" || type === "tool_reference"

const blockOf = (block: JsonObject, text: string, encoding: ConverseEncoding): JsonObject => {
  const { title, context, citations, content, source } = block
  const quotable = present({ citations: isObject(citations) ? citations : undefined })
  if (block["type"] === "search_result") {
    return { searchResult: { source: source ?? "", title: title ?? "", content: pieces(content, text), ...quotable } }
  }
  const parted = isObject(source) && source["type"] === "content"
  return {
    document: {
      format: "txt",
      name: encoding.documentName(typeof title === "string" ? title : undefined),
      source: parted ? { content: pieces(source["content"], text) } : { text },
      ...present({ context: typeof context === "string" ? context : undefined }),
      ...quotable
    }
  }
}

/** The passages of a text, each by itself; one where it was changed on the way. */
const pieces = (content: JsonObject[string] | undefined, text: string): ReadonlyArray<JsonObject> => {
  const passages = passagesOf(content, text)
  return Array.isArray(passages)
    ? passages.map((piece) => ({ text: isObject(piece) ? (piece["text"] ?? "") : "" }))
    : [{ text }]
}
