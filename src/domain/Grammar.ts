import { LlmEvent } from "./LlmEvent.ts"

const tags = new Set<string>(Object.keys(LlmEvent.cases))

/** Watches that what somebody lets out is a stream that anyone can read: blocks open before they go on, one end, last. */
export class Grammar {
  private readonly open = new Set<string>()
  /** whether the end of the answer came */
  finished = false

  /** Takes an event into account; says what is wrong with it, if anything. */
  fault(event: LlmEvent): string | undefined {
    if (typeof event !== "object" || event === null || !tags.has(event._tag)) return "it let out what is no event"
    if (this.finished) return `it let out ${event._tag} after the end`
    switch (event._tag) {
      case "TextStart":
      case "ReasoningStart":
      case "ToolInputStart":
        if (this.open.has(event.id)) return `it began the block ${event.id} twice`
        this.open.add(event.id)
        return undefined
      case "TextDelta":
      case "ReasoningDelta":
      case "ToolInputDelta":
        if (typeof event.text !== "string") return "it let out a delta without text"
        return this.open.has(event.id) ? undefined : `the block ${event.id} is not open`
      case "TextEnd":
      case "ReasoningEnd":
      case "ToolInputEnd":
        return this.open.delete(event.id) ? undefined : `the block ${event.id} is not open`
      case "Finish":
        this.finished = true
        return undefined
      default:
        return undefined
    }
  }
}
