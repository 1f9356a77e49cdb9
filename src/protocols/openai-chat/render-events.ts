import type { Finish, FinishReason, LlmEvent } from "../../domain/LlmEvent.ts"
import { mergeUsage, noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownFields } from "../extensions.ts"
import { ownBlock } from "../foreign-blocks.ts"
import { Notices } from "../Notices.ts"
import { isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { withToldTier } from "../openai/account.ts"
import { annotationOf } from "./annotations.ts"
import { ChunkWriter } from "./chunk-writer.ts"
import { finishWord } from "./finish-reasons.ts"
import { renderLogprobs } from "./logprobs.ts"
import { detailOf } from "./reasoning-details.ts"
import { RenderedCalls } from "./rendered-calls.ts"
import { renderUsage } from "./usage.ts"
import { openAiChatId } from "./wire.ts"

/** Why something is not said. */
export const noCounterpart = "Chat Completions has no counterpart"

/** Whether the caller speaks the API as it was in its first days, with `functions` in the place of `tools`. */
export const isLegacy = ({ origin }: RenderContext): boolean =>
  Array.isArray(origin?.body["functions"]) && !Array.isArray(origin.body["tools"])

/** Whether the caller wants the usage of a stream. */
const wantsUsage = ({ origin }: RenderContext): boolean => {
  const options = origin?.body["stream_options"]
  return isObject(options) && options["include_usage"] === true
}

type Reasoning = Extract<LlmEvent, { readonly _tag: "ReasoningStart" | "ReasoningDelta" | "ReasoningEnd" }>

/** A block of reasoning as far as it was thought, and who makes it, where its beginning said so. */
interface Thought {
  readonly text: string
  readonly origin?: string
}

/** What was rendered of one answer. Its citations come in one list at its end: clients keep the last list that they get. */
interface ChoiceState {
  details: number
  text: number
  readonly annotations: Array<JsonObject>
}

/** Renders events as chunks. */
export class EventRenderer {
  readonly notices = new Notices(noCounterpart)
  readonly calls: RenderedCalls
  readonly wantsUsage: boolean
  /** whether `Finish` was rendered or sent as the provider wrote it */
  finished = false
  usageSent = false
  /** the last statement of usage was not sent as the provider wrote it */
  private owesUsage = false
  private readonly legacy: boolean
  private readonly writer: ChunkWriter
  private usage: Usage = noUsage
  private readonly choices = new Map<number, ChoiceState>()
  private readonly thoughts = new Map<string, Thought>()
  private readonly textStarts = new Map<string, number>()

  constructor(context: RenderContext) {
    this.writer = new ChunkWriter(context)
    this.wantsUsage = wantsUsage(context)
    this.legacy = isLegacy(context)
    this.calls = new RenderedCalls(this.legacy, context.request.tools, this.notices)
  }

  render(event: LlmEvent): string {
    if (event._tag !== "TextDelta") return this.finished ? "" : this.renderOther(event)
    if (this.finished) return ""
    const { text, choice = 0, logprobs } = event
    const begun = this.begin(choice)
    const state = this.choices.get(choice)
    if (state !== undefined) state.text += text.length
    if (choice === 0 && logprobs === undefined) return begun + this.writer.text(text)
    return (
      begun +
      this.writer.delta(choice, { content: text }, null, logprobs === undefined ? null : renderLogprobs(logprobs))
    )
  }

  /** Takes note of an event that was sent as the provider wrote it. */
  adopt(event: LlmEvent): void {
    if ("choice" in event || event._tag === "Started") this.enter("choice" in event ? (event.choice ?? 0) : 0)
    switch (event._tag) {
      case "Started":
        return this.writer.name(event)
      case "UsageReported":
        this.usage = mergeUsage(this.usage, event.usage)
        this.owesUsage = false
        return
      case "ReasoningStart":
      case "ReasoningDelta":
      case "ReasoningEnd":
        return this.think(event)
      case "Finish":
        this.finished = true
    }
  }

  private enter(choice: number): void {
    if (!this.choices.has(choice)) this.choices.set(choice, { details: 0, text: 0, annotations: [] })
  }

  /** The first chunk of an answer says its role. */
  private begin(choice: number): string {
    if (this.choices.has(choice)) return ""
    this.enter(choice)
    return this.writer.delta(choice, { role: "assistant", content: "" })
  }

  private say(choice: number | undefined, delta: JsonObject | undefined): string {
    return delta === undefined ? "" : this.begin(choice ?? 0) + this.writer.delta(choice ?? 0, delta)
  }

  private renderOther(event: Exclude<LlmEvent, { readonly _tag: "TextDelta" }>): string {
    switch (event._tag) {
      case "Started":
        this.writer.name(withToldTier(event, this.notices))
        return this.begin(0)
      case "TextStart":
        this.textStarts.set(event.id, this.choices.get(event.choice ?? 0)?.text ?? 0)
        return this.begin(event.choice ?? 0)
      case "TextEnd":
        return ""
      case "RefusalDelta":
        return this.say(event.choice, { refusal: event.text })
      case "ReasoningStart":
      case "ReasoningDelta":
      case "ReasoningEnd":
        return this.reason(event)
      case "ToolInputStart":
      case "ToolInputDelta":
      case "ToolInputEnd":
      case "ToolCall":
        return this.say(event.choice, this.calls.render(event))
      case "ToolResult":
        this.notices.dropped("the answer of a tool that the provider ran")
        return ""
      case "UsageReported":
        this.usage = mergeUsage(this.usage, event.usage)
        this.owesUsage = true
        return ""
      case "ChoiceFinish":
        return this.end(event.choice, event.reason)
      case "Finish":
        return this.finish(event)
      default:
        return this.renderRare(event)
    }
  }

  private renderRare(event: Extract<LlmEvent, { readonly _tag: "Source" | "Media" | "Opaque" }>): string {
    switch (event._tag) {
      case "Source": {
        const shift = event.block === undefined ? 0 : (this.textStarts.get(event.block) ?? 0)
        return this.annotate(event.choice, [annotationOf(event, shift)])
      }
      case "Media":
        return this.say(event.choice, mediaOf(event, this.notices))
      case "Opaque": {
        const { annotations, ...block } = ownBlock(event, openAiChatId, this.notices) ?? {}
        const cited = Array.isArray(annotations) ? this.annotate(event.choice, annotations) : ""
        return cited + this.say(event.choice, unlessEmpty(block))
      }
    }
  }

  /** Keeps the text of a block until its end: its signature comes with the text that it proves. */
  private think(event: Reasoning): void {
    if (event._tag === "ReasoningStart") this.thoughts.set(event.id, { text: "", ...present({ origin: event.origin }) })
    else if (event._tag === "ReasoningEnd") this.thoughts.delete(event.id)
    else {
      const thought = this.thoughts.get(event.id)
      this.thoughts.set(event.id, { ...thought, text: (thought?.text ?? "") + event.text })
    }
  }

  private reason(event: Reasoning): string {
    const thought = this.thoughts.get(event.id) ?? { text: "" }
    this.think(event)
    if (event._tag === "ReasoningDelta") return this.say(event.choice, { reasoning_content: event.text })
    const proof = event._tag === "ReasoningStart" ? event.redacted : event.signature
    if (proof === undefined) return ""
    const begun = this.begin(event.choice ?? 0)
    const state = this.choices.get(event.choice ?? 0)
    const detail = detailOf({ ...thought, ...event }, state?.details ?? 0)
    if (state !== undefined) state.details++
    return begun + this.say(event.choice, { reasoning_details: [detail] })
  }

  private annotate(choice = 0, annotations: ReadonlyArray<JsonObject>): string {
    const begun = this.begin(choice)
    this.choices.get(choice)?.annotations.push(...annotations)
    return begun
  }

  /** The citations of all answers that were not sent yet. */
  owedAnnotations(): string {
    let text = ""
    for (const [choice, { annotations }] of this.choices) {
      if (annotations.length > 0) text += this.writer.delta(choice, { annotations: annotations.splice(0) })
    }
    return text
  }

  private end(choice: number, reason: FinishReason, said: JsonObject = {}): string {
    const word = wordOf(reason, this.legacy, this.notices)
    return this.begin(choice) + this.owedAnnotations() + this.writer.end(choice, word, said)
  }

  private finish(finish: Finish): string {
    this.owesUsage = true
    this.notices.stoppedAt(finish.stopSequence)
    const ending = this.end(0, finish.reason, ownFields(finish, openAiChatId)) + this.owedUsage(finish.usage)
    this.finished = true
    return ending
  }

  /** The chunk of the usage, where the caller wants it and did not get it. */
  owedUsage(usage: Usage): string {
    const stated = renderUsage(mergeUsage(this.usage, usage))
    if (!this.wantsUsage || this.usageSent || !this.owesUsage || stated === undefined) return ""
    this.usageSent = true
    return this.writer.usage(stated)
  }
}

/** The finish reason in the words of this format; notes where they say less. */
export const wordOf = (reason: FinishReason, legacy: boolean, notices: Notices): string => {
  const { word, said } = finishWord(reason)
  if (!said) notices.add("changed", `the finish reason ${reason} is ${word}: ${noCounterpart}`)
  return legacy && word === "tool_calls" ? "function_call" : word
}

/** A picture that the model made, as the routers that know of such answers say it. */
export const mediaOf = (
  { mediaType, data }: { readonly mediaType: string; readonly data: string },
  notices: Notices
): JsonObject | undefined => {
  if (mediaType.startsWith("image/")) {
    return { images: [{ type: "image_url", image_url: { url: `data:${mediaType};base64,${data}` } }] }
  }
  notices.dropped(`${mediaType} made by the model`)
  return undefined
}
