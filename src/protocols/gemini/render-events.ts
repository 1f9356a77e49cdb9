import type { LlmEvent, Source, Started } from "../../domain/LlmEvent.ts"
import { mergeUsage, noUsage, type Usage } from "../../domain/Usage.ts"
import { present } from "../../domain/present.ts"
import type { Proof } from "../SealedReasoning.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownFields } from "../extensions.ts"
import { ownBlock } from "../foreign-blocks.ts"
import { Notices } from "../Notices.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { rawFinishReasonOf } from "./finish-reasons.ts"
import type { Framing } from "./framing.ts"
import { logprobsResult } from "./logprobs.ts"
import {
  callPart,
  fragmentOf,
  headFields,
  isSignature,
  noCounterpart,
  refusalIsText,
  sourceFields,
  thoughtPart
} from "./parts.ts"
import { usageMetadata } from "./usage.ts"
import { geminiId } from "./wire.ts"

/** What one choice has gathered for its last chunk. */
class ChoiceState {
  /** what is said of the answer as a whole */
  fields: JsonObject = {}
  refused = false
  finished = false
  readonly sources: Array<Source> = []
  /** the first text, in which sources may have their places */
  first: { readonly id: string; text: string } | undefined
  /** a picture or sound that its signature may follow */
  media: JsonObject | undefined
  /** the text of a chunk with a piece of text, before and after that piece */
  text: readonly [before: string, after: string] | undefined
  /** whether the thoughts that are open are encrypted: the proof of such was told with their beginning */
  encrypted = false
}

type CallStart = Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>
type Ending = Extract<LlmEvent, { readonly _tag: "ChoiceFinish" | "Finish" }>

/**
 * Renders events as chunks. Text goes out piece by piece; a call of a function only when it is complete, in one part; what
 * is said of the answer as a whole stands in the chunk that ends it.
 */
export class EventRenderer {
  readonly notices = new Notices(noCounterpart)
  /** whether the stream has ended, well or not */
  over = false
  private readonly context: RenderContext
  private readonly framing: Framing
  private readonly choices = new Map<number, ChoiceState>()
  private readonly calls = new Map<string, CallStart>()
  private head: Started | undefined
  private usage: Usage = noUsage
  private response: JsonObject = {}
  private answered = false

  constructor(context: RenderContext, framing: Framing) {
    this.context = context
    this.framing = framing
  }

  render(event: LlmEvent): string {
    if (this.over) return ""
    const choice = ("choice" in event ? event.choice : undefined) ?? 0
    const state = this.stateOf(choice)
    if (event._tag === "TextDelta") {
      if (event.id === state.first?.id) state.first.text += event.text
      if (event.logprobs === undefined && state.media === undefined) return this.piece(event.text, choice, state)
    }
    switch (event._tag) {
      case "Started":
        this.head = event
        return ""
      case "UsageReported":
        this.usage = mergeUsage(this.usage, event.usage)
        return ""
      case "Opaque":
        return this.fragment(event, choice, state)
      default: {
        const { media } = state
        state.media = undefined
        const before = media === undefined ? "" : this.part(media, choice)
        return before + this.renderPart(event, choice, state)
      }
    }
  }

  /** Takes note of an event that was sent as the provider wrote it. */
  adopt(event: LlmEvent): void {
    if (event._tag === "Started") this.head = event
    else if (event._tag === "UsageReported") this.usage = mergeUsage(this.usage, event.usage)
    else if (event._tag === "ChoiceFinish") this.stateOf(event.choice).finished = true
    else if (event._tag === "Finish") this.over = true
    else if (event._tag !== "Opaque") this.answered = true
  }

  /** Takes note that the provider's own text ended a choice. */
  adoptEnding(choice: number): void {
    this.stateOf(choice).finished = true
  }

  /** Whether the beginning of this call was rendered, so that the rest has to be. */
  hasCall(id: string): boolean {
    return this.calls.has(id)
  }

  private renderPart(event: LlmEvent, choice: number, state: ChoiceState): string {
    switch (event._tag) {
      case "TextDelta": {
        const { text, logprobs } = event
        const more = logprobs === undefined ? {} : { logprobsResult: logprobsResult(logprobs) }
        return text === "" && logprobs === undefined ? "" : this.part({ text }, choice, more)
      }
      case "TextStart":
        state.first ??= { id: event.id, text: "" }
        return ""
      case "RefusalDelta":
        state.refused = true
        this.notices.add("emulated", refusalIsText)
        return this.piece(event.text, choice, state)
      case "ReasoningStart":
        state.encrypted = event.redacted !== undefined
        return state.encrypted ? this.part(thoughtPart("", event), choice) : ""
      case "ReasoningDelta":
        return event.text === "" ? "" : this.part({ text: event.text, thought: true }, choice)
      case "ReasoningEnd":
        return state.encrypted ? "" : this.proof(event, choice)
      case "ToolInputStart":
        this.calls.set(event.id, event)
        return ""
      case "ToolCall": {
        const part = callPart({ ...present({ origin: this.calls.get(event.id)?.origin }), ...event }, this.notices)
        return part === undefined ? "" : this.part(part, choice)
      }
      case "ToolResult": {
        const part = ownBlock(event, geminiId, this.notices)
        return part === undefined ? "" : this.part(part, choice)
      }
      case "Media":
        state.media = { inlineData: { mimeType: event.mediaType, data: event.data } }
        return ""
      case "Source":
        state.sources.push(event)
        return ""
      case "ChoiceFinish":
      case "Finish":
        return this.finish(event, choice, state)
      default:
        return ""
    }
  }

  /** What proves the thoughts that ended, where anything does. */
  private proof({ signature, origin }: Proof, choice: number): string {
    const part = thoughtPart("", present({ signature, origin }))
    return part["thoughtSignature"] === undefined ? "" : this.part(part, choice)
  }

  private stateOf(choice: number): ChoiceState {
    let state = this.choices.get(choice)
    if (state === undefined) this.choices.set(choice, (state = new ChoiceState()))
    return state
  }

  /** A piece of text: the one thing that is done for every token. */
  private piece(text: string, choice: number, state: ChoiceState): string {
    if (text === "") return ""
    this.answered = true
    const [before, after] = (state.text ??= this.aroundText(choice))
    return this.framing.before() + before + JSON.stringify(text) + after
  }

  private aroundText(choice: number): readonly [string, string] {
    const head = JSON.stringify(headFields(this.head, this.context)).slice(1)
    return [
      '{"candidates":[{"content":{"parts":[{"text":',
      `}],"role":"model"},"index":${choice}}],${head}${this.framing.after}`
    ]
  }

  private part(part: JsonObject, choice: number, more: JsonObject = {}): string {
    return this.candidate({ content: { parts: [part], role: "model" }, index: choice, ...more })
  }

  private candidate(candidate: JsonObject, more: JsonObject = {}): string {
    this.answered = true
    return this.chunk({ candidates: [candidate], ...more })
  }

  private chunk(chunk: JsonObject): string {
    const json = JSON.stringify({ ...chunk, ...headFields(this.head, this.context) })
    return this.framing.before() + json + this.framing.after
  }

  /** What only this format says. What it says of a medium stands with that, where it was not sent yet. */
  private fragment(event: Extract<LlmEvent, { readonly _tag: "Opaque" }>, choice: number, state: ChoiceState): string {
    const { part, beside, candidate, response } = fragmentOf(event, this.notices) ?? {}
    const { media } = state
    state.media = undefined
    if (response !== undefined) this.response = { ...this.response, ...response }
    let text = media === undefined ? "" : this.part({ ...media, ...beside }, choice)
    if (part !== undefined) text += this.part(isSignature(part) ? { text: "", ...part } : part, choice)
    if (candidate === undefined) return text
    if (Object.keys(candidate).some((key) => key in state.fields)) {
      text += this.candidate({ index: choice, ...state.fields })
      state.fields = {}
    }
    state.fields = { ...state.fields, ...candidate }
    return text
  }

  private finish(event: Ending, choice: number, state: ChoiceState): string {
    const last = event._tag === "Finish"
    if (last) this.usage = mergeUsage(this.usage, event.usage)
    const own = last ? fieldsOf(ownFields(event, geminiId)["usageMetadata"]) : {}
    const metadata = usageMetadata(this.usage, this.head?.serviceTier, this.notices, own)
    const more = last ? { ...this.response, ...present({ usageMetadata: metadata }) } : {}
    this.over = last
    if (last && !this.answered && isBlocked(this.response)) return this.chunk(more)
    if (state.finished) return ""
    state.finished = true
    return this.candidate(
      {
        // Clients look for the parts of every candidate; Google's own forgets the turn if one of them has none.
        content: { parts: [{ text: "" }], role: "model" },
        finishReason: rawFinishReasonOf(event, state.refused, this.notices),
        index: choice,
        ...state.fields,
        ...sourceFields(state.sources, state.first, this.notices)
      },
      more
    )
  }
}

/** Whether the prompt was refused: the feedback to it is then all there is. */
export const isBlocked = ({ promptFeedback }: JsonObject): boolean =>
  isObject(promptFeedback) && promptFeedback["blockReason"] !== undefined
