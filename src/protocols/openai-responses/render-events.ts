import type { Finish, LlmEvent, Source, Started } from "../../domain/LlmEvent.ts"
import { mergeUsage, noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import { callFields, sealEvents } from "../CallOrigin.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownFields } from "../extensions.ts"
import { ownBlock } from "../foreign-blocks.ts"
import { Notices } from "../Notices.ts"
import { isObject, type JsonObject } from "../open-document.ts"
import { withToldTier } from "../openai/account.ts"
import { endingOf } from "./finish-reasons.ts"
import { Frames } from "./frames.ts"
import { callHeadOf, ItemIds, itemOfCall, itemOfMedia } from "./item-names.ts"
import { CallWriter, WholeWriter, type FinalStatus, type ItemWriter, type Target } from "./item-writers.ts"
import { saidOfMessage } from "./message-item.ts"
import { MessagePart, MessageWriter } from "./message-writer.ts"
import { ReasoningWriter } from "./reasoning-writer.ts"
import { responseDocument } from "./response-document.ts"
import { openAiResponsesId } from "./wire.ts"

type ToolInputStart = Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>
type ToolCall = Extract<LlmEvent, { readonly _tag: "ToolCall" }>

/** The fields of a response that its end decides. */
const endFields = ["status", "error", "incomplete_details", "output", "usage"]

/** Renders events: items with their places in the output, open at the same time where the model writes them so. */
export class EventRenderer {
  readonly notices = new Notices("the Responses API has no counterpart")
  readonly frames = new Frames()
  readonly writers: Array<ItemWriter> = []
  /** whether the stream has ended, well or not */
  over = false
  /** where the next item stands in the output; what the provider said of its id and of the next piece's place */
  nextIndex = 0
  nextId: string | undefined
  nextPart: number | undefined
  /** the response as the provider described it, where that was sent */
  described: JsonObject | undefined
  private readonly context: RenderContext
  private readonly ids: ItemIds
  private head: Started | undefined
  private begun = false
  private usage: Usage = noUsage
  private message: MessageWriter | undefined
  private refusal: MessagePart | undefined
  private readonly targets = new Map<string, Target>()
  private readonly hosted = new Map<string, ToolInputStart>()

  constructor(context: RenderContext) {
    this.context = context
    this.ids = new ItemIds(context.id)
  }

  render(event: LlmEvent): string {
    if (event._tag === "TextDelta") {
      const target = this.targets.get(event.id)
      if (target !== undefined) return target.delta(event.text, event.logprobs)
    }
    if (this.over) return ""
    if ("choice" in event && event.choice !== undefined && event.choice > 0) {
      this.notices.dropped("choices after the first")
      return ""
    }
    return this.place(event)
  }

  /** Takes note of a piece that was sent as the provider wrote it; false where its block is not known. */
  adoptPiece(event: LlmEvent): boolean {
    if (event._tag === "RefusalDelta") {
      if (this.refusal === undefined) return false
      this.refusal.adopt(event.text, undefined)
      return true
    }
    if (!("text" in event) || !("id" in event)) return false
    const target = this.targets.get(event.id)
    if (target instanceof ReasoningWriter && !target.goesOn) return false
    target?.adopt(event.text, "logprobs" in event ? event.logprobs : undefined)
    return target !== undefined
  }

  /** Takes note of an event that was sent as the provider wrote it. */
  adopt(event: LlmEvent): void {
    if (event._tag === "Finish") return this.close()
    const { next } = this.frames
    this.begun = true
    if (event._tag === "Started") this.head = event
    else this.render(event)
    this.frames.next = next
  }

  /** Takes note of an item that the provider announced and that has no event of its own yet. */
  announce(item: JsonObject): void {
    const { next } = this.frames
    const id = this.nextId ?? this.ids.item()
    this.begun = true
    if (item["type"] === "message") this.openMessage(id, saidOfMessage(item))
    else this.add(new WholeWriter(this.frames, id, this.nextIndex, item))
    this.frames.next = next
  }

  /** Takes note of a frame about a piece of an item that has no event of its own: a part of reasoning, a refusal. */
  adoptPart(document: JsonObject, writer: ItemWriter | undefined): void {
    if (writer instanceof ReasoningWriter) writer.adoptPart(document)
    const { type, part, content_index: index } = document
    const refuses = type === "response.content_part.added" && isObject(part) && part["type"] === "refusal"
    if (!refuses || writer === undefined || writer !== this.message) return
    this.refusal = this.message.begin(true, typeof index === "number" ? index : undefined)
  }

  /** Takes note that the provider ended an item. */
  settle(item: JsonObject, writer: ItemWriter | undefined): void {
    if (writer === undefined) return
    const { next } = this.frames
    writer.close("completed")
    writer.final = item
    if (writer === this.message) this.endMessage()
    this.frames.next = next
  }

  /** Whether a refusal stands in the output. */
  get refused(): boolean {
    return this.writers.some((writer) => writer instanceof MessageWriter && writer.parts.some(({ refusal }) => refusal))
  }

  /** All items, ended where they were not; those that the end cut short have the given status. */
  output(status: FinalStatus): ReadonlyArray<JsonObject> {
    this.endItems(status)
    return this.writers.toSorted((a, b) => a.index - b.index).map((writer) => writer.item())
  }

  private endItems(status: FinalStatus): string {
    return this.endRefusal() + this.writers.map((writer) => writer.close(status)).join("")
  }

  /** Nothing more is sent. */
  close(): void {
    this.over = true
    this.targets.clear()
  }

  private place(event: LlmEvent): string {
    switch (event._tag) {
      case "Started":
        this.head = withToldTier(event, this.notices)
        return this.start()
      case "UsageReported":
        this.usage = mergeUsage(this.usage, event.usage)
        return ""
      case "Finish":
        return this.finish(event)
      case "TextStart":
        return this.start() + this.endRefusal() + this.beginText(event.id, callFields(event, openAiResponsesId))
      case "TextEnd":
        return this.endText(event.id)
      case "ReasoningStart": {
        const { redacted, origin, id } = event
        const writer = new ReasoningWriter(this.frames, this.nextId ?? this.ids.reasoning(id), this.nextIndex)
        writer.proof = present({ redacted, origin })
        this.targets.set(id, writer)
        return this.start() + this.endMessage() + this.add(writer)
      }
      case "ReasoningEnd": {
        const writer = this.targets.get(event.id)
        if (!(writer instanceof ReasoningWriter)) return ""
        const { signature, origin } = event
        writer.proof = { ...writer.proof, ...present({ signature, origin }) }
        return writer.close("completed")
      }
      case "ReasoningDelta":
      case "ToolInputDelta":
        return this.targets.get(event.id)?.delta(event.text, undefined) ?? ""
      case "RefusalDelta":
        return this.start() + this.refuse(event.text)
      case "ToolInputStart":
        return this.start() + this.beginCall(event)
      case "ToolCall":
        return this.start() + this.endCall(event)
      default:
        return this.start() + this.placeWhole(event)
    }
  }

  private placeWhole(event: LlmEvent): string {
    switch (event._tag) {
      case "Source":
        return this.cite(event)
      case "ToolResult":
      case "Opaque":
        return this.whole(ownBlock(event, openAiResponsesId, this.notices))
      case "Media": {
        const item = itemOfMedia(event, this.ids)
        if (item === undefined) this.notices.dropped(`${event.mediaType} made by the model`)
        return this.whole(item)
      }
      default:
        return ""
    }
  }

  private start(): string {
    if (this.begun) return ""
    this.begun = true
    const response = responseDocument(this.context, { head: this.head, status: "in_progress", output: [] })
    return this.frames.event("response.created", { response }) + this.frames.event("response.in_progress", { response })
  }

  private add(writer: ItemWriter): string {
    this.nextIndex = writer.index + 1
    this.nextId = undefined
    this.writers.push(writer)
    return writer.added()
  }

  /** The message gets nothing more; it ends now, or when its open texts have ended. */
  private endMessage(): string {
    const { message } = this
    const refused = this.endRefusal()
    this.message = undefined
    if (message === undefined) return refused
    message.sealed = true
    return refused + (message.idle ? message.close("completed") : "")
  }

  private openMessage(id: string, more: JsonObject = {}): string {
    const sealed = this.endMessage()
    // What goes on after another item has begun is another message, and clients refuse two of one id.
    const own = this.writers.some((writer) => writer.id === id) ? this.ids.message() : id
    this.message = new MessageWriter(this.frames, own, this.nextIndex, more)
    return sealed + this.add(this.message)
  }

  private messageFor(id: string | undefined, more?: JsonObject): string {
    return this.message === undefined || (id !== undefined && id !== this.message.id)
      ? this.openMessage(id ?? this.ids.message(), more)
      : ""
  }

  private beginText(id: string, more?: JsonObject): string {
    const opened = this.messageFor(this.nextId ?? this.ids.statedMessage(id), more)
    const part = this.message?.begin(false, this.nextPart)
    if (part === undefined) return opened
    this.targets.set(id, part)
    return opened + part.added()
  }

  private endText(id: string): string {
    const part = this.targets.get(id)
    if (!(part instanceof MessagePart)) return ""
    const ended = part.close()
    const { message } = part
    return ended + (message.sealed && message.idle ? message.close("completed") : "")
  }

  private refuse(text: string): string {
    let before = ""
    if (this.refusal === undefined) {
      before = this.messageFor(undefined)
      this.refusal = this.message?.begin(true, this.nextPart)
      before += this.refusal?.added() ?? ""
    }
    return before + (this.refusal?.delta(text, undefined) ?? "")
  }

  private endRefusal(): string {
    const { refusal } = this
    this.refusal = undefined
    return refusal?.close() ?? ""
  }

  /** A citation stands with its text, also when that has ended; without a text it gets an empty one. */
  private cite(source: Source): string {
    const target =
      source.block === undefined
        ? this.message?.parts.findLast((part) => !part.refusal)
        : this.targets.get(source.block)
    if (target instanceof MessagePart) return target.cite(source)
    const id = ` source ${this.writers.length}`
    const begun = this.beginText(id)
    return begun + (this.message?.parts.at(-1)?.cite(source) ?? "") + this.endText(id)
  }

  private beginCall(event: ToolInputStart): string {
    if (event.providerExecuted !== true) {
      const sealed = this.seal(event)
      const head = callHeadOf(event, this.context.request)
      const id = this.nextId ?? this.ids.call(head)
      const writer = new CallWriter(this.frames, id, this.nextIndex, head)
      this.targets.set(event.id, writer)
      return sealed + this.endMessage() + this.add(writer)
    }
    this.hosted.set(event.id, event)
    const item = event.origin?.protocol === openAiResponsesId ? event.origin.value : undefined
    if (!isObject(item) || this.openWhole(event.id) !== undefined) return ""
    return this.endMessage() + this.add(new WholeWriter(this.frames, event.id, this.nextIndex, item))
  }

  private endCall(event: ToolCall): string {
    const hosted = this.hosted.get(event.id)
    if (event.providerExecuted === true || hosted !== undefined) {
      // An item of this format ends with its result.
      if (hosted?.origin?.protocol === openAiResponsesId) return ""
      const item = itemOfCall(event, this.ids)
      if (item === undefined) this.notices.dropped(`a call of ${event.name}, which the provider ran`)
      return this.whole(item)
    }
    const begun = this.targets.has(event.id) ? "" : this.beginCall({ ...event, _tag: "ToolInputStart" })
    const writer = this.targets.get(event.id)
    if (!(writer instanceof CallWriter)) return begun
    return begun + writer.complete(event.arguments) + writer.close(event.valid ? "completed" : "incomplete")
  }

  /** What another format's provider said of a call stands before it, as reasoning with nothing but a proof. */
  private seal(call: ToolInputStart): string {
    return sealEvents(call, openAiResponsesId)
      .map((event) => this.place(event))
      .join("")
  }

  private openWhole(id: string): ItemWriter | undefined {
    return this.writers.find(
      (writer) => writer instanceof WholeWriter && writer.id === id && writer.status === "in_progress"
    )
  }

  private whole(item: JsonObject | undefined): string {
    if (item === undefined) return ""
    const id = typeof item["id"] === "string" ? item["id"] : this.ids.item()
    const announced = this.openWhole(id)
    const writer = announced ?? new WholeWriter(this.frames, id, this.nextIndex, item)
    const begun = announced === undefined ? this.endMessage() + this.add(writer) : ""
    writer.final = item
    return begun + writer.close("completed")
  }

  private finish(finish: Finish): string {
    const begun = this.start()
    const { status, why } = endingOf(finish, this.refused, this.notices)
    const left = status === "completed" ? "completed" : "incomplete"
    const ended = this.endItems(left)
    const usage = mergeUsage(this.usage, finish.usage)
    const response = responseDocument(this.context, { head: this.head, status, why, output: this.output(left), usage })
    // What the provider described when it began knew nothing of the end.
    const news = Object.fromEntries(endFields.map((field) => [field, response[field] ?? null]))
    this.close()
    const whole = { ...response, ...this.described, ...news, ...ownFields(finish, openAiResponsesId) }
    return begun + ended + this.frames.event(`response.${status}`, { response: whole })
  }
}
