import type { LlmEvent } from "../domain/LlmEvent.ts"

/** Arguments that come only with their call are told as any others: as a piece of their block, before its end. */
export class LateArguments {
  private readonly toolsWithText = new Set<string>()
  private readonly endsWithoutText = new Map<string, Extract<LlmEvent, { readonly _tag: "ToolInputEnd" }>>()

  /** The events that an event is told as. */
  told(event: LlmEvent): ReadonlyArray<LlmEvent> {
    switch (event._tag) {
      case "ToolInputDelta":
        if (event.text !== "") this.toolsWithText.add(event.id)
        return [event]
      case "ToolInputEnd":
        if (this.toolsWithText.has(event.id)) return [event]
        this.endsWithoutText.set(event.id, event)
        return []
      case "ToolCall": {
        const { id, arguments: text } = event
        const end = this.endsWithoutText.get(id)
        if (end === undefined) return [event]
        this.endsWithoutText.delete(id)
        return text === "" ? [end, event] : [{ ...end, _tag: "ToolInputDelta", text }, end, event]
      }
      default:
        return [event]
    }
  }
}
