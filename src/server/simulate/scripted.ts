import { LlmEvent } from "../../domain/LlmEvent.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import { limitAnswer } from "../../providers/simulator/Answer.ts"
import type { Options } from "../../providers/simulator/Options.ts"
import { scriptOfAnswers, type Identity, type Script, type Step } from "../../providers/simulator/Script.ts"
import { tokensOf } from "../../providers/simulator/Tokens.ts"

/** The script of a text that somebody wrote; the limits of the request hold for it too. */
export const scriptOfText = (text: string, options: Options, request: LlmRequest, identity: Identity): Script => {
  const answer = limitAnswer({ pieces: [{ _tag: "Text", tokens: tokensOf(text) }], finish: "stop" }, request.sampling)
  return scriptOfAnswers([answer], options, request, identity)
}

const isPiece = LlmEvent.isAnyOf(["TextDelta", "ReasoningDelta", "RefusalDelta", "ToolInputDelta"])

/**
 * The script of events that somebody wrote: sent as they are, with what the grammar of events asks for around them. A
 * missing `Finish` is not added, so that an answer without an ending can be scripted.
 */
export const scriptOfEvents = (events: ReadonlyArray<LlmEvent>, options: Options, identity: Identity): Script => {
  const { headMs, firstMs = 0, paceMs = 0 } = options
  const steps: Array<Step & { readonly events: Array<LlmEvent> }> = []
  for (const event of completed(events, identity)) {
    const last = steps.at(-1)
    if (last === undefined) steps.push({ waitMs: 0, events: [event] })
    else if (isPiece(event)) steps.push({ waitMs: steps.length === 1 ? firstMs : paceMs, events: [event] })
    else if (event._tag === "Finish") steps.push({ waitMs: 0, events: [event] })
    else last.events.push(event)
  }
  return { headMs, steps }
}

/** Adds what whoever wrote the events may leave out: `Started`, the starts and ends of blocks, the input of a call. */
const completed = (events: ReadonlyArray<LlmEvent>, identity: Identity): ReadonlyArray<LlmEvent> => {
  const all: Array<LlmEvent> = events[0]?._tag === "Started" ? [] : [{ _tag: "Started", ...identity }]
  const blocks = new Set<string>()
  const ends = new Map<string, LlmEvent>()
  for (const event of events) {
    if ("id" in event && event._tag.endsWith("Start")) blocks.add(event.id)
    if ("id" in event && event._tag.endsWith("End")) ends.delete(event.id)
    if (event._tag === "Finish") all.push(...ends.values())
    const added = "id" in event && !blocks.has(event.id) ? around(event) : undefined
    if (added !== undefined && "id" in event) {
      blocks.add(event.id)
      all.push(...added.before)
      if (added.end !== undefined) ends.set(event.id, added.end)
    }
    all.push(event)
  }
  return all
}

/** What belongs before an event that comes without its block, and what ends the block. */
const around = (
  event: LlmEvent
): { readonly before: ReadonlyArray<LlmEvent>; readonly end: LlmEvent | undefined } | undefined => {
  switch (event._tag) {
    case "TextDelta":
      return { before: [{ _tag: "TextStart", id: event.id }], end: { _tag: "TextEnd", id: event.id } }
    case "ReasoningDelta":
      return { before: [{ _tag: "ReasoningStart", id: event.id }], end: { _tag: "ReasoningEnd", id: event.id } }
    case "ToolCall": {
      const before: ReadonlyArray<LlmEvent> = [
        { _tag: "ToolInputStart", id: event.id, name: event.name },
        { _tag: "ToolInputDelta", id: event.id, text: event.arguments },
        { _tag: "ToolInputEnd", id: event.id }
      ]
      return { before, end: undefined }
    }
    default:
      return undefined
  }
}
