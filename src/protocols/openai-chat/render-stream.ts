import type { Notice } from "../../domain/Call.ts"
import type { Frame } from "../../domain/Frame.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import { isContent, type Finish, type LlmEvent } from "../../domain/LlmEvent.ts"
import { noUsage } from "../../domain/Usage.ts"
import { firstSseFrame, sseFrame } from "../../wire/Sse.ts"
import type { RenderContext, StreamRenderer } from "../Dialect.ts"
import { isObject, parseJson, type JsonObject } from "../open-document.ts"
import { openAiErrorObject } from "../openai/errors.ts"
import { isPiece, type Piece } from "../pieces.ts"
import { isIndex, readChoice, textIn, type ChunkChoice } from "./chunk.ts"
import { EventRenderer } from "./render-events.ts"
import { openAiChatId } from "./wire.ts"

interface HeldFrame {
  readonly raw: string
  readonly events: ReadonlyArray<LlmEvent>
  /** it says the usage and nothing else */
  readonly usageOnly: boolean
}

const doneFrame = sseFrame("[DONE]")

/**
 * Frames of this format that nobody changed go out as they are, between others that are rendered because a stage made or
 * changed them. Where calls were left out or added, the calls that begin later are rendered with an index of their own.
 *
 * The frames from the finish reason on are held until `Finish` comes, because a stage may change the ending: all of them
 * go out with it, or its own words in their place.
 */
class ChatRenderer implements StreamRenderer {
  private readonly events: EventRenderer
  private held: Array<HeldFrame> = []
  /** whether the finish reason of the first answer was sent as the provider wrote it */
  private endingPassed = false
  /** whether something was rendered */
  private touched = false
  /** nothing more is sent but the terminator */
  private over = false
  private closed = false

  constructor(context: RenderContext) {
    this.events = new EventRenderer(context)
  }

  get notices(): ReadonlyArray<Notice> {
    return this.events.notices.list
  }

  event(event: LlmEvent): string {
    if (this.over) return ""
    this.touched = true
    const before = this.held.length === 0 || event._tag === "UsageReported" ? "" : this.renderHeld()
    if (event._tag === "Finish") this.over = true
    return before + this.events.render(event)
  }

  verbatim(frame: Frame): string {
    const { raw, events } = frame
    if (this.over) return ""
    if (raw === undefined) return this.renderAll(events)
    const [first, second] = events
    if (first !== undefined && isPiece(first) && this.held.length === 0) {
      if (second === undefined) return this.passPiece(first, raw)
      if (events.length === 2 && second._tag === "UsageReported") {
        this.events.adopt(second)
        return this.passPiece(first, raw)
      }
    }
    const finish = events.find((event) => event._tag === "Finish")
    if (finish !== undefined) return this.passEnd(raw, events, finish)
    return this.pass(raw, events, readChunk(raw))
  }

  end(): string {
    if (this.closed) return ""
    const ending = this.over
      ? ""
      : this.held.length > 0
        ? this.flush()
        : this.events.render({ _tag: "Finish", reason: "unknown", usage: noUsage })
    this.over = true
    this.closed = true
    return ending + doneFrame
  }

  failure(error: LlmError): string {
    if (this.closed) return ""
    const before = this.flush()
    this.over = true
    this.closed = true
    return before + this.insteadOfEnd(error)
  }

  insteadOfEnd(error: LlmError): string {
    const { protocol, raw } = error.fault ?? {}
    if (protocol === openAiChatId && raw !== undefined && isObject(readChunk(raw)?.["error"])) return raw
    return sseFrame(JSON.stringify({ error: openAiErrorObject(error) }))
  }

  private renderAll(events: ReadonlyArray<LlmEvent>): string {
    let text = ""
    for (const event of events) text += this.event(event)
    return text
  }

  /** What a stage goes on after: the content of the frames that were held, without their ending. */
  private renderHeld(): string {
    const { held } = this
    this.held = []
    let text = ""
    for (const { events } of held) for (const event of events) text += this.events.render(event)
    return text
  }

  private flush(): string {
    const { held } = this
    this.held = []
    let text = this.events.owedAnnotations()
    for (const { raw, events, usageOnly } of held) {
      for (const event of events) this.events.adopt(event)
      this.events.usageSent ||= usageOnly
      text += raw
    }
    this.endingPassed ||= held.length > 0
    return text
  }

  private passPiece(event: Piece, raw: string): string {
    if (event._tag === "ToolInputDelta" && this.events.calls.isMoved(event.id)) return this.event(event)
    if (event._tag === "ReasoningDelta" || event.choice !== undefined) this.events.adopt(event)
    return raw
  }

  private pass(raw: string, events: ReadonlyArray<LlmEvent>, chunk: JsonObject | undefined): string {
    const choices = choicesOf(chunk)
    const usageOnly = choices.length === 0 && isObject(chunk?.["usage"])
    if (usageOnly && !this.events.wantsUsage) {
      for (const event of events) this.events.adopt(event)
      return ""
    }
    if (this.held.length > 0) {
      // Another answer goes on after the first one has ended.
      if (events.some(isContent)) return this.flush() + this.send(events, raw, choices)
      this.held.push({ raw, events, usageOnly })
      return ""
    }
    if (!this.endingPassed && choices.some(({ index, finish }) => index === 0 && finish !== undefined)) {
      if (!this.callsPass(events, choices)) return this.renderAll(events)
      this.held.push({ raw, events, usageOnly })
      return ""
    }
    this.events.usageSent ||= usageOnly
    return this.send(events, raw, choices)
  }

  private send(events: ReadonlyArray<LlmEvent>, raw: string, choices: ReadonlyArray<ChunkChoice>): string {
    if (!this.callsPass(events, choices)) return this.renderAll(events)
    for (const event of events) this.events.adopt(event)
    return raw
  }

  /** Whether the calls in a frame can go out with the index that they have; takes note of those that begin in it. */
  private callsPass(events: ReadonlyArray<LlmEvent>, choices: ReadonlyArray<ChunkChoice>): boolean {
    const { calls } = this.events
    const starts = events.filter((event) => event._tag === "ToolInputStart")
    const places = starts.map((start) => placeOf(start, choices))
    if (events.some((event) => event._tag === "ToolInputDelta" && calls.isMoved(event.id))) return false
    const stray = starts.length === 0 && fragmentsOf(choices).some(([choice, index]) => !calls.isPassing(choice, index))
    if (stray) return false
    const counted = new Map<number, number>()
    const indexes = starts.map(({ choice = 0 }, at) => {
      const expected = counted.get(choice) ?? calls.nextIndex(choice)
      counted.set(choice, expected + 1)
      // A provider that gives no index gives none to its own clients either.
      return places[at] === undefined && !this.touched ? expected : places[at] === expected ? expected : undefined
    })
    if (indexes.includes(undefined)) return false
    starts.forEach((start, at) => calls.adopt(start, indexes[at] ?? 0))
    return true
  }

  /** The terminator, or the end of the connection (`raw` is then empty). */
  private passEnd(raw: string, events: ReadonlyArray<LlmEvent>, finish: Finish): string {
    const held = this.flush()
    // The frame with the finish reason did not come through as it was.
    const said = this.endingPassed || !this.touched
    let text = held
    for (const event of events) {
      if (event !== finish || !said) text += this.events.render(event)
      else {
        text += this.events.owedUsage(finish.usage)
        this.events.adopt(event)
      }
    }
    this.over = true
    this.closed = raw !== ""
    return text + raw
  }
}

const readChunk = (raw: string): JsonObject | undefined => {
  const chunk = parseJson(firstSseFrame(raw)?.data ?? "")
  return isObject(chunk) ? chunk : undefined
}

const choicesOf = (chunk: JsonObject | undefined): ReadonlyArray<ChunkChoice> => {
  const choices = chunk?.["choices"]
  return Array.isArray(choices) ? choices.flatMap((choice: unknown) => readChoice(choice, false) ?? []) : []
}

/** The places of the calls that a frame goes on with, also where it adds nothing to them. */
const fragmentsOf = (choices: ReadonlyArray<ChunkChoice>): ReadonlyArray<readonly [choice: number, index: number]> =>
  choices.flatMap(({ index: choice, content }) => {
    const calls: unknown = content["tool_calls"]
    return !Array.isArray(calls)
      ? []
      : calls.flatMap((call: unknown) =>
          isObject(call) && textIn(call["id"]) === undefined && isIndex(call["index"])
            ? [[choice, call["index"]] as const]
            : []
        )
  })

/** The index that the provider gave to a call in the frame that begins it; undefined where it gave none. */
const placeOf = (
  { id, choice = 0 }: Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>,
  choices: ReadonlyArray<ChunkChoice>
): number | undefined => {
  const calls = choices.find(({ index }) => index === choice)?.content["tool_calls"]
  if (!Array.isArray(calls)) return undefined
  const call: unknown = calls.find((entry: unknown) => isObject(entry) && entry["id"] === id) ?? calls[0]
  return isObject(call) && isIndex(call["index"]) ? call["index"] : undefined
}

/** Renders one stream of chat completions. */
export const makeRenderer = (context: RenderContext): StreamRenderer => new ChatRenderer(context)
