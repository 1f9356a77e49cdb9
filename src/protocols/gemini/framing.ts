import { parseJson } from "../open-document.ts"
import { frameData, isEvent } from "./frames.ts"

/** How chunks stand in the body of a stream. */
export interface Framing {
  /** what stands before a chunk */
  before(): string
  /** what stands after a chunk */
  readonly after: string
  /** A frame as the provider wrote it, byte for byte where it was framed like this. */
  pass(raw: string): string
  /** the end of the body */
  close(): string
}

/** Server-sent events. Clients drop one that does not begin with `data:`, and read its JSON from one line. */
export const eventFraming = (): Framing => ({
  before: () => "data: ",
  after: "\n\n",
  pass: (raw) => {
    if (isEvent(raw)) return raw
    const data = frameData(raw)
    return data === "" ? "" : `data: ${JSON.stringify(parseJson(data))}\n\n`
  },
  close: () => ""
})

class ArrayFraming implements Framing {
  readonly after = ""
  private begun = false
  private ending = "]"

  before(): string {
    if (this.begun) return ",\r\n"
    this.begun = true
    return "["
  }

  pass(raw: string): string {
    const data = frameData(raw)
    if (data === "") {
      // The bracket that closes the array, kept for the end of the body, and white space after it.
      this.ending = raw.includes("]") ? raw : this.ending + raw
      return ""
    }
    const opens = raw.trimStart().startsWith("[")
    if (isEvent(raw) || opens === this.begun) return this.before() + data
    this.begun = true
    return raw
  }

  close(): string {
    return this.begun || this.ending !== "]" ? this.ending : "[]"
  }
}

/** One JSON array, element by element. */
export const arrayFraming = (): Framing => new ArrayFraming()
