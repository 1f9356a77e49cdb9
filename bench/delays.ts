/** When the text of a paced answer has arrived, whatever pieces a filter made of it. */
import { makeSseDecoder } from "../src/wire/Sse.ts"
import type { WireFrame } from "../src/wire/Frame.ts"
import type { AnswerCheck } from "./answers.ts"
import { monotonicMicros } from "./clock.ts"
import { markOpen, microsOf, stampPlaceholder, streamTexts, type Workload } from "./workloads.ts"

/** In microseconds. */
export interface Delays {
  /** of every call, from its start to its first text */
  readonly firstText: Array<number>
  /** of every chunk, from the upstream's write to the read of its last character */
  readonly wholeChunk: Array<number>
}

interface ChatChunk {
  readonly choices?: ReadonlyArray<{ readonly delta: { readonly content?: string | null } }>
}

/**
 * Reads the answers of chat clients: a chunk has arrived with its last character. A right answer has the text of the
 * workload, but for the stamps, and a terminal.
 */
export const delayCheck = (workload: Workload & { readonly kind: "stream" }, delays: Delays): AnswerCheck => {
  const texts = streamTexts(workload)
  const expected = texts.join("")
  const ends = texts.map((_, index) => texts.slice(0, index + 1).join("").length)
  const stampStarts = texts.map(
    (text, index) => (ends[index] ?? 0) - text.length + text.indexOf(markOpen) + markOpen.length + "0000|".length
  )
  const stampIn = (text: string, index: number): string =>
    text.slice(stampStarts[index], (stampStarts[index] ?? 0) + stampPlaceholder.length)
  return () => {
    const startedAt = monotonicMicros()
    const decoder = makeSseDecoder()
    let text = ""
    let arrived = 0
    let terminal = ""
    const readFrame = ({ data }: WireFrame, now: number): void => {
      terminal = data
      if (data === "[DONE]") return
      const piece = (JSON.parse(data) as ChatChunk).choices?.[0]?.delta.content ?? ""
      if (piece !== "" && text === "") delays.firstText.push(now - startedAt)
      text += piece
      for (; text.length >= (ends[arrived] ?? Number.POSITIVE_INFINITY); arrived++) {
        delays.wholeChunk.push(now - microsOf(stampIn(text, arrived)))
      }
    }
    return {
      read: (bytes) => {
        const now = monotonicMicros()
        const frames: Array<WireFrame> = []
        decoder.feed(bytes, frames)
        for (const frame of frames) readFrame(frame, now)
      },
      end: () => {
        const unstamped = texts.reduce((all, _, index) => all.replace(stampIn(text, index), stampPlaceholder), text)
        if (unstamped !== expected) return `wrong text: ${text.slice(0, 200)}`
        return terminal === "[DONE]" ? undefined : `ended in ${terminal}`
      }
    }
  }
}
