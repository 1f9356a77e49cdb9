import type {
  CacheMarker,
  Extensions,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart
} from "../../domain/LlmRequest.ts"
import { anthropicMessagesId } from "../anthropic-messages/wire.ts"
import { Encoding } from "../Encoding.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { argumentsObject } from "../ToolArguments.ts"
import { failedBeyondWords, withToldFailure } from "../ToolFailure.ts"
import { encodeMedia } from "./encode-media.ts"
import { encodeText } from "./encode-text.ts"
import type { ModelTraits } from "./models.ts"
import { encodeRedacted } from "./redacted.ts"
import { bedrockConverseId } from "./wire.ts"

const longestName = 200
const longestCallId = 64

/** A request of this API while it is made, for a model of known traits. */
export class ConverseEncoding extends Encoding {
  readonly traits: ModelTraits
  private readonly names = new Set<string>()

  constructor(traits: ModelTraits) {
    super(bedrockConverseId, "the Converse API")
    this.traits = traits
  }

  /** A name that the API takes (letters, digits, single spaces, `-()[]`), and that no other document of the request has. */
  documentName(filename: string | undefined): string {
    const plain = (filename ?? "document").replace(/\.[a-zA-Z0-9]{1,5}$/, "").replaceAll(/[^a-zA-Z0-9\s()[\]-]/g, "-")
    const base =
      plain
        .replaceAll(/\s+/g, " ")
        .trim()
        .slice(0, longestName - 4) || "document"
    let name = base
    for (let n = 2; this.names.has(name); n++) name = `${base} ${n}`
    this.names.add(name)
    return name
  }

  /** Extensions without those fields of the Messages API that Claude takes here too. */
  withoutClaude(extensions: Extensions | undefined, fields: ReadonlyArray<string>): Extensions | undefined {
    const { [anthropicMessagesId]: own, ...others } = extensions ?? {}
    if (own === undefined || this.traits.family !== "claude") return extensions
    const left = Object.entries(own).filter(([field]) => !fields.includes(field))
    return { ...others, [anthropicMessagesId]: Object.fromEntries(left) }
  }

  /** The point after which the prompt may be cached, where a marker stands and the model knows them. */
  cachePoint(cache: CacheMarker | undefined): ReadonlyArray<JsonObject> {
    if (cache === undefined) return []
    if (this.traits.family === "other") {
      this.dropped("a cache marker", "the model caches prompts by itself or not at all")
      return []
    }
    // Five minutes is what goes without saying, also to models that know nothing else.
    const { ttl = "5m" } = cache
    if (ttl !== "5m" && ttl !== "1h") this.add("changed", `a cache marker for ${ttl} is one for 5m`)
    return [{ cachePoint: { type: "default", ...(ttl === "1h" ? { ttl } : {}) } }]
  }
}

/** The blocks that a part of a message stands for, with the cache point behind it. */
export const encodePart = (part: Part, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  const blocks = encodeContent(part, encoding)
  return "cache" in part && blocks.length > 0 ? [...blocks, ...encoding.cachePoint(part.cache)] : blocks
}

const encodeContent = (part: Part, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  if (part._tag !== "Media" && part._tag !== "Text" && "extensions" in part) encoding.own(part.extensions)
  switch (part._tag) {
    case "Text":
      return encodeText(part, encoding)
    case "Refusal":
      return encodeText({ _tag: "Text", text: part.text }, encoding)
    case "Media":
      return encodeMedia(part, encoding)
    case "Reasoning":
      return encodeReasoning(part, encoding)
    case "ToolCall":
      return [encodeToolCall(part, encoding)]
    case "ToolResult":
      return [encodeToolResult(part, encoding)]
    case "Opaque":
      if (part.protocol === bedrockConverseId && isObject(part.value)) return [part.value]
      encoding.dropped(`a block of ${part.protocol}`)
      return []
  }
}

/**
 * The API takes back only what was signed for it. Claude's proofs hold on every platform that has Claude, so that those which
 * the Messages API gave, or which a caller of that API gives back, are taken too, unless the model is known to be another.
 */
const encodeReasoning = (part: ReasoningPart, encoding: ConverseEncoding): ReadonlyArray<JsonObject> => {
  const { text, signature, redacted, origin } = part
  const { family } = encoding.traits
  const claude = family === "claude" || family === "unknown"
  if (origin === bedrockConverseId || (origin === anthropicMessagesId && claude)) {
    if (redacted !== undefined) return [{ reasoningContent: { redactedContent: encodeRedacted({ redacted, origin }) } }]
    if (signature !== undefined) return [{ reasoningContent: { reasoningText: { text, signature } } }]
  }
  encoding.dropped("reasoning of an earlier turn", "the Converse API takes back only what was signed for it")
  return []
}

/** Ids may hold letters, digits, `_` and `-` here, and not be long; call and result are changed alike. */
const callId = (id: string): string => {
  const plain = id.replaceAll(/[^a-zA-Z0-9_-]/g, "_")
  return plain.length <= longestCallId ? plain : plain.slice(0, longestCallId / 2) + plain.slice(-longestCallId / 2)
}

const encodeToolCall = (part: ToolCallPart, encoding: ConverseEncoding): JsonObject => {
  const { value, intact } = argumentsObject(part.arguments)
  if (!intact) encoding.add("emulated", `the arguments of ${part.name} are no JSON object: they stand in "arguments"`)
  return { toolUse: { toolUseId: callId(part.id), name: part.name, input: value } }
}

const encodeToolResult = (part: ToolResultPart, encoding: ConverseEncoding): JsonObject => {
  // Only some families know the status of a result, and with a failure they take texts, some and nothing else.
  const told = encoding.traits.family === "other" || failedBeyondWords(part)
  const { callId: id, isError, content } = told ? withToldFailure(part, encoding) : part
  // Nothing within a result can be cached by itself.
  const blocks = content.flatMap((piece) => encodeContent(piece, encoding))
  return { toolResult: { toolUseId: callId(id), content: blocks, ...(isError === true ? { status: "error" } : {}) } }
}
