import type { LlmEvent } from "../domain/LlmEvent.ts"

/** A piece of an open block: what nearly all events of a stream are. */
export type Piece = Extract<LlmEvent, { readonly _tag: "TextDelta" | "ReasoningDelta" | "ToolInputDelta" }>

/** Whether an event is a piece of an open block. */
export const isPiece = (event: LlmEvent): event is Piece =>
  event._tag === "TextDelta" || event._tag === "ReasoningDelta" || event._tag === "ToolInputDelta"
