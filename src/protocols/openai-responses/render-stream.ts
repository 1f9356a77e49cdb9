import type { Notice } from "../../domain/Call.ts"
import type { Frame } from "../../domain/Frame.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage } from "../../domain/Usage.ts"
import { firstSseFrame } from "../../wire/Sse.ts"
import type { RenderContext, StreamRenderer } from "../Dialect.ts"
import { textOfArguments } from "../FreeText.ts"
import { fieldsOf, isObject, parseJson, type JsonObject } from "../open-document.ts"
import { errorFields } from "./errors.ts"
import { WholeWriter, type ItemWriter } from "./item-writers.ts"
import { EventRenderer } from "./render-events.ts"
import { statedText, textOfItem } from "./stated-text.ts"
import { openAiResponsesId } from "./wire.ts"

/**
 * Frames of this format that nobody changed go out as they are, up to the first that a stage made, changed or left out.
 * From there on everything is rendered: the events that end an item, and the one that ends the stream, say all that was
 * streamed once more, numbers count every frame, and both must be true of what this caller was sent. That a frame is
 * missing shows in the numbers, or in an ending that says what was never streamed.
 */
class ResponseRenderer implements StreamRenderer {
  private readonly events: EventRenderer
  private rendering = false
  /** whether the provider numbers its frames */
  private numbered = false
  /** the piece that was sent last as the provider wrote it */
  private lastPiece: string | undefined

  constructor(context: RenderContext) {
    this.events = new EventRenderer(context)
  }

  get notices(): ReadonlyArray<Notice> {
    return this.events.notices.list
  }

  event(event: LlmEvent): string {
    this.goOn()
    return this.events.render(event)
  }

  verbatim(frame: Frame): string {
    const { raw, events } = frame
    if (this.rendering || raw === undefined) return this.renderAll(events)
    const [first] = events
    if (first !== undefined && events.length === 1 && this.events.adoptPiece(first)) {
      this.events.frames.next++
      this.lastPiece = raw
      return raw
    }
    if (this.events.over) return ""
    return this.pass(raw, events)
  }

  end(): string {
    this.goOn()
    return this.events.over ? "" : this.events.render({ _tag: "Finish", reason: "unknown", usage: noUsage })
  }

  failure(error: LlmError): string {
    if (this.events.over) return ""
    this.events.close()
    return this.insteadOfEnd(error)
  }

  insteadOfEnd(error: LlmError): string {
    const { protocol, raw } = error.fault ?? {}
    const own = protocol === openAiResponsesId && raw !== undefined ? firstSseFrame(raw) : undefined
    // Its clients know an error by the name of the event. Not all of them throw at a response that failed, and those that
    // do would tell the failure twice: none is made here.
    if (raw !== undefined && own?.event === "error") return raw
    const before = raw !== undefined && own?.event === "response.failed" && !this.rendering ? raw : ""
    this.goOn()
    if (before !== "") this.events.frames.next++
    return before + this.events.frames.event("error", errorFields(error))
  }

  /** From here on everything is rendered; no number comes twice, also where pieces were left out before. */
  private goOn(): void {
    if (this.rendering) return
    this.rendering = true
    const { frames } = this.events
    frames.next = Math.max(frames.next, (numberOf(documentOf(this.lastPiece)) ?? -1) + 1)
  }

  private renderAll(events: ReadonlyArray<LlmEvent>): string {
    this.goOn()
    let text = ""
    for (const event of events) text += this.event(event)
    return text
  }

  private pass(raw: string, events: ReadonlyArray<LlmEvent>): string {
    const document = documentOf(raw)
    // What is no document of this format is the terminator of another one.
    if (!isObject(document)) return ""
    if (!this.follows(document) || !this.isTrue(document, events)) return this.renderAll(events)
    this.adopt(document, events)
    this.count(document)
    return raw
  }

  /** Whether the frame is the one that the provider sent after the one before it. */
  private follows(document: JsonObject): boolean {
    const number = numberOf(document)
    return !this.numbered || number === undefined || number === this.events.frames.next
  }

  private count(document: JsonObject): void {
    const number = numberOf(document)
    this.numbered ||= number !== undefined
    this.events.frames.next = (number ?? this.events.frames.next) + 1
  }

  /** Whether what the frame says of what came before it is what was sent; its own events are sent with it. */
  private isTrue(document: JsonObject, events: ReadonlyArray<LlmEvent>): boolean {
    const { type, response, item, output_index: index } = document
    const own = ownText(events)
    if (/^response\.(completed|incomplete)$/.test(String(type))) {
      const output = isObject(response) && Array.isArray(response["output"]) ? response["output"] : []
      return output.length === 0 || output.map(textOfItem).join("") === this.written() + own
    }
    const writer = this.writerAt(document)
    // An item that was left out is not spoken of.
    if (writer === undefined && index !== undefined && item === undefined && events.length === 0) return false
    const stated = statedText(document)
    return stated === undefined || (writer?.textWith(own) ?? own).includes(stated)
  }

  private written(): string {
    const { writers } = this.events
    return writers
      .toSorted((a, b) => a.index - b.index)
      .map(({ text }) => text)
      .join("")
  }

  private writerAt({ output_index: index }: JsonObject): ItemWriter | undefined {
    return this.events.writers.find((writer) => writer.index === index)
  }

  private adopt(document: JsonObject, events: ReadonlyArray<LlmEvent>): void {
    const { type, item, output_index: index, content_index: part, response } = document
    const known = this.writerAt(document)
    if (known === undefined && typeof index === "number") {
      this.events.nextIndex = index
      this.events.nextId = isObject(item) && typeof item["id"] === "string" ? item["id"] : undefined
    }
    this.events.nextPart = typeof part === "number" ? part : undefined
    if (type === "response.created" && isObject(response)) this.events.described = response
    if (known === undefined && isObject(item) && events.length === 0) this.events.announce(item)
    this.events.adoptPart(document, known)
    for (const event of events) {
      // What ends with the item is taken from the item.
      if (!(known instanceof WholeWriter) || !("value" in event)) this.events.adopt(event)
    }
    this.events.nextId = undefined
    this.events.nextPart = undefined
    if (type === "response.output_item.done" && isObject(item)) this.events.settle(item, this.writerAt(document))
  }
}

/** What is said in the events of a frame; the text of a call that begins in it stands in an object. */
const ownText = (events: ReadonlyArray<LlmEvent>): string => {
  const begun = new Set<string>()
  let text = ""
  for (const event of events) {
    if (event._tag === "ToolInputStart" && isCustom(event)) begun.add(event.id)
    if (event._tag === "ToolCall" && begun.has(event.id)) text += textOfArguments(event.arguments)
    else if ("text" in event && !("id" in event && begun.has(event.id))) text += event.text
  }
  return text
}

const isCustom = ({ origin }: Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>): boolean =>
  fieldsOf(origin?.value)["type"] === "custom_tool_call"

const documentOf = (raw: string | undefined): unknown =>
  raw === undefined ? undefined : parseJson(firstSseFrame(raw)?.data ?? "")

const numberOf = (document: unknown): number | undefined => {
  const number = isObject(document) ? document["sequence_number"] : undefined
  return typeof number === "number" ? number : undefined
}

/** Renders one stream of the Responses API. */
export const makeRenderer = (context: RenderContext): StreamRenderer => new ResponseRenderer(context)
