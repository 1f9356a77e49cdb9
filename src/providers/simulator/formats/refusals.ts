import type { LlmEvent } from "../../../domain/LlmEvent.ts"
import type { LlmResponse, ResponsePart } from "../../../domain/LlmResponse.ts"
import type { SimulatedRenderer } from "../SimulatedDialect.ts"

const id = "refusal"

/** A renderer of a format that keeps no refusal apart from the text: it is one more text, at the end of the answer. */
export const withoutRefusals = (renderer: SimulatedRenderer): SimulatedRenderer => {
  let open = false
  const asText = (event: LlmEvent): ReadonlyArray<LlmEvent> => {
    if (event._tag === "RefusalDelta") {
      const start: ReadonlyArray<LlmEvent> = open ? [] : [{ _tag: "TextStart", id }]
      open = true
      return [...start, { _tag: "TextDelta", id, text: event.text }]
    }
    if (!open || event._tag !== "Finish") return [event]
    open = false
    return [{ _tag: "TextEnd", id }, event]
  }
  return {
    event: (event) => Buffer.concat(asText(event).map((one) => Buffer.from(renderer.event(one)))),
    end: () => renderer.end(),
    failure: (error) => renderer.failure(error)
  }
}

/** The parts of the first answer, where a refusal is a text. */
export const partsOf = ({ choices }: LlmResponse): ReadonlyArray<Exclude<ResponsePart, { _tag: "Refusal" }>> =>
  (choices[0]?.parts ?? []).map((part) => (part._tag === "Refusal" ? { _tag: "Text", id, text: part.text } : part))
