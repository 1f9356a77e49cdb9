import { sseFrame } from "../../wire/Sse.ts"
import type { JsonObject } from "../open-document.ts"

/** Writes the frames of a stream: the type twice, as clients want it, and a number that rises. */
export class Frames {
  /** the number of the next frame */
  next = 0

  event(type: string, fields: JsonObject): string {
    return sseFrame(JSON.stringify({ type, ...fields, sequence_number: this.next++ }), type)
  }

  /** A piece of text, which is all that differs between its frames: the one thing that is done for every token. */
  delta(start: string, text: string, end = ""): string {
    return `${start}${JSON.stringify(text)}${end},"sequence_number":${this.next++}}\n\n`
  }
}

/** A frame of `delta` events up to the text itself. */
export const deltaStart = (type: string, place: JsonObject): string => {
  const fields = JSON.stringify({ type, ...place })
  return `event: ${type}\ndata: ${fields.slice(0, -1)},"delta":`
}
