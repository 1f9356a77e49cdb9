import type { MediaPart, OpaquePart, Part, TextPart, ToolResultPart } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { withOpenedCalls } from "../CallOrigin.ts"
import type { JsonObject } from "../open-document.ts"
import { extended } from "./extension.ts"
import { textOfPassages } from "./passages.ts"
import { decodeRedacted, decodeThinking } from "./thinking.ts"
import { anthropicMessagesId, type CacheControl, type ContentBlock, type MessageBlock } from "./wire.ts"

type Block<T extends string> = Extract<MessageBlock, { readonly type: T }>

/** The parts that a message's content stands for. */
export const decodeContent = (content: string | ReadonlyArray<MessageBlock>): ReadonlyArray<Part> =>
  typeof content === "string" ? [{ _tag: "Text", text: content }] : withOpenedCalls(content.map(decodeBlock))

const decodeBlock = (block: MessageBlock): Part => {
  switch (block.type) {
    case "thinking":
      return { ...decodeThinking(block.thinking, block.signature), ...extended(block.rest) }
    case "redacted_thinking":
      return { ...decodeRedacted(block.data), ...extended(block.rest) }
    case "tool_use":
      return {
        _tag: "ToolCall",
        id: block.id,
        name: block.name,
        arguments: JSON.stringify(block.input),
        ...marked(block.cache_control, block.rest)
      }
    case "tool_result":
      return decodeToolResult(block)
    case "compaction":
      return decodeCompaction(block)
    default:
      return decodeContentBlock(block)
  }
}

/**
 * What was said so far, in short: nothing before it counts, and clients need not send that any more. It is a text that every
 * other format can say; one that did not come about has none.
 */
const decodeCompaction = (block: Block<"compaction">): TextPart | OpaquePart =>
  block.content
    ? {
        _tag: "Text",
        text: block.content,
        ...marked(block.cache_control, { block: { ...block.rest, type: "compaction" } })
      }
    : opaque(block.raw)

const decodeToolResult = (block: Block<"tool_result">): ToolResultPart => {
  const { content } = block
  return {
    _tag: "ToolResult",
    callId: block.tool_use_id,
    content: typeof content === "string" ? [{ _tag: "Text", text: content }] : (content ?? []).map(decodeContentBlock),
    ...present({ isError: block.is_error }),
    ...marked(block.cache_control, block.rest)
  }
}

const decodeContentBlock = (block: ContentBlock): TextPart | MediaPart | OpaquePart => {
  switch (block.type) {
    case "text":
      return { _tag: "Text", text: block.text, ...marked(block.cache_control, block.rest) }
    case "image":
      return decodeImage(block)
    case "document":
      return decodeDocument(block)
    case "search_result":
      return decodeSearchResult(block)
    case "tool_reference":
      // What a search for tools found is their names, which every other format can say.
      return {
        _tag: "Text",
        text: block.tool_name,
        ...marked(block.cache_control, { block: { ...block.rest, type: "tool_reference" } })
      }
    case undefined:
      return opaque(block.raw)
  }
}

const decodeImage = (block: Block<"image">): MediaPart | OpaquePart => {
  const { source } = block
  if (source.type === undefined) return opaque(block.raw)
  return { _tag: "Media", kind: "image", ...mediaSource(source), ...marked(block.cache_control, mediaRest(block)) }
}

/**
 * A document of plain text is a text part, so that every other format can say it; what makes it a document (its title,
 * whether it is to be cited) stands in the extension `block`, as the block without its text.
 */
const decodeDocument = (block: Block<"document">): TextPart | MediaPart | OpaquePart => {
  const { source } = block
  switch (source.type) {
    case "text":
      return textDocument(block, source.data, { ...source.rest, type: "text" })
    case "content": {
      const text = textOfPassages(source.content)
      return text === undefined
        ? opaque(block.raw)
        : textDocument(block, text, { ...source.rest, type: "content", content: source.content })
    }
    case undefined:
      return opaque(block.raw)
    default:
      return {
        _tag: "Media",
        kind: "file",
        ...mediaSource(source),
        ...present({ filename: block.title }),
        ...marked(block.cache_control, mediaRest(block))
      }
  }
}

/** What is not known of a block with media, and of its source. */
const mediaRest = ({ rest, source }: Block<"image"> | Block<"document">): JsonObject | undefined =>
  source.type === undefined || source.rest === undefined ? rest : { ...rest, source: source.rest }

const textDocument = (block: Block<"document">, text: string, source: JsonObject): TextPart => ({
  _tag: "Text",
  text,
  ...marked(block.cache_control, {
    block: { type: "document", source, ...present({ title: block.title }), ...block.rest }
  })
})

/** A search result is the text of its passages; they themselves stand in the extension `block`. */
const decodeSearchResult = (block: Block<"search_result">): TextPart | OpaquePart => {
  const content = block.content.map(({ raw }) => raw)
  const text = textOfPassages(content)
  if (text === undefined) return opaque(block.raw)
  return {
    _tag: "Text",
    text,
    ...marked(block.cache_control, { block: { type: "search_result", content, ...block.rest } })
  }
}

type AnyMediaSource = Extract<Block<"image">["source"], { readonly type: string }>

const mediaSource = (source: AnyMediaSource): Pick<MediaPart, "mediaType" | "source"> => {
  switch (source.type) {
    case "base64":
      return { mediaType: source.media_type, source: { _tag: "Base64", data: source.data } }
    case "url":
      return { source: { _tag: "Url", url: source.url } }
    case "file":
      return { source: { _tag: "FileId", id: source.file_id } }
  }
}

const opaque = (value: JsonObject): OpaquePart => ({ _tag: "Opaque", protocol: anthropicMessagesId, value })

/** The cache marker of a block and its other fields. A marker that says more than a time to live is kept whole. */
export const marked = (control: CacheControl | null | undefined, rest: JsonObject | undefined) => {
  if (!control) return extended(rest)
  const plain = control.type === "ephemeral" && control.rest === undefined
  return {
    cache: present({ ttl: control.ttl }),
    ...extended(plain ? rest : { ...rest, cache_control: control.raw })
  }
}
