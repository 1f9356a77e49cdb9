import type { GeneratedLogprob, LlmEvent, Source } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { fieldsOf, isObject, textAt, type JsonObject } from "../open-document.ts"
import { finishedArguments } from "../ToolArguments.ts"
import { tokenCount } from "../token-counts.ts"
import { cohereV2Id } from "./wire.ts"

type Events = Array<LlmEvent>

/** A piece of text or of thinking that has begun. */
export class ContentBlock {
  readonly id: string
  readonly kind: "Text" | "Reasoning"

  constructor(kind: "Text" | "Reasoning", id: string, events: Events) {
    this.kind = kind
    this.id = id
    events.push({ _tag: `${kind}Start`, id })
  }

  /** What a document of content is: it says so by its type, or, in the middle of a block, by the field it has. */
  static kindOf(content: JsonObject): "Text" | "Reasoning" {
    return content["type"] === "thinking" || typeof content["thinking"] === "string" ? "Reasoning" : "Text"
  }

  write(content: JsonObject, logprobs: unknown, events: Events): void {
    const text = textAt(content, this.kind === "Text" ? "text" : "thinking")
    if (text === "") return
    if (this.kind === "Reasoning") events.push({ _tag: "ReasoningDelta", id: this.id, text })
    else events.push({ _tag: "TextDelta", id: this.id, text, ...present({ logprobs: logprobsOf(logprobs) }) })
  }

  end(events: Events): void {
    if (this.kind === "Text") events.push({ _tag: "TextEnd", id: this.id })
    // Nobody signs thoughts here, and only servers of this format take them back.
    else events.push({ _tag: "ReasoningEnd", id: this.id, origin: cohereV2Id })
  }
}

/** A tool call that has begun. `id` is for one that has none. */
export class CallBlock {
  private readonly head: { readonly id: string; readonly name: string }
  private written = ""

  constructor(call: JsonObject, id: string, events: Events) {
    const callId = textAt(call, "id")
    this.head = { id: callId === "" ? id : callId, name: textAt(functionOf(call), "name") }
    events.push({ _tag: "ToolInputStart", ...this.head })
    this.write(call, events)
  }

  write(call: JsonObject, events: Events): void {
    const text = textAt(functionOf(call), "arguments")
    if (text === "") return
    this.written += text
    events.push({ _tag: "ToolInputDelta", id: this.head.id, text })
  }

  end(events: Events): void {
    events.push({ _tag: "ToolInputEnd", id: this.head.id })
    events.push({ _tag: "ToolCall", ...this.head, ...finishedArguments(this.written) })
  }
}

const functionOf = (call: JsonObject): JsonObject => fieldsOf(call["function"])

/**
 * The tokens of a piece, told as their joined text and the probability of each. Only a piece of one token can be said,
 * which those of a stream are.
 */
const logprobsOf = (value: unknown): ReadonlyArray<GeneratedLogprob> | undefined => {
  const items = (Array.isArray(value) ? value : [value]).filter(isObject)
  if (items.length === 0) return undefined
  const tokens = items.map((item) => ({ token: item["text"], logprobs: item["logprobs"] }))
  const said = tokens.flatMap(({ token, logprobs }) => {
    const [logprob, ...others] = Array.isArray(logprobs) ? logprobs : []
    return typeof token === "string" && typeof logprob === "number" && others.length === 0
      ? [{ token, logprob, top: [] }]
      : []
  })
  return said.length === tokens.length ? said : undefined
}

/**
 * A citation as an event for each of its sources: documents that were sent along, or what tools answered. `block` is the text
 * that it stands in, unless it says that it stands in what was thought before.
 */
export const sourcesOf = (citation: JsonObject, block: string | undefined): ReadonlyArray<Source> => {
  const { type = "TEXT_CONTENT", start, end } = citation
  const place = type === "TEXT_CONTENT" ? present({ block, start: tokenCount(start), end: tokenCount(end) }) : {}
  const sources = Array.isArray(citation["sources"]) ? citation["sources"].filter(isObject) : []
  if (sources.length === 0) return [{ _tag: "Source", ...place, origin: { protocol: cohereV2Id, value: citation } }]
  return sources.map((source) => ({
    _tag: "Source",
    ...place,
    ...describe(source),
    origin: { protocol: cohereV2Id, value: { ...citation, sources: [source] } }
  }))
}

/** The fields of a document are its sender's own; these two names are what documents usually have. */
const describe = (source: JsonObject) => {
  const document = fieldsOf(source["document"])
  const url = textAt(document, "url")
  const title = textAt(document, "title") || textAt(source, "id")
  return present({
    url: /^https?:/i.test(url) ? url : undefined,
    title: title === "" ? undefined : title
  })
}
