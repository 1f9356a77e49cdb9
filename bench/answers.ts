/** Whether an answer is the one that was asked for, whatever way its bytes were split on the way. */
import { monotonicMicros } from "./clock.ts"
import {
  type Dialect,
  markOpen,
  microsOf,
  stampPlaceholder,
  streamFrames,
  wholeBody,
  wholeText,
  type Workload
} from "./workloads.ts"

/** Reads one answer. `end` says what is wrong with it, or nothing. */
export interface AnswerReader {
  readonly read: (bytes: Buffer) => void
  readonly end: () => string | undefined
}

/** Makes the readers of one scenario's answers; chunk latencies in microseconds go to `latencies`. */
export type AnswerCheck = (latencies: Array<number>) => AnswerReader

const textOfWhole = (dialect: Dialect, body: string): string | undefined => {
  const answer: {
    readonly choices?: ReadonlyArray<{ readonly message: { readonly content: string } }>
    readonly content?: ReadonlyArray<{ readonly text: string }>
  } = JSON.parse(body)
  return dialect === "chat" ? answer.choices?.[0]?.message.content : answer.content?.[0]?.text
}

const checkWhole = (
  client: Dialect,
  upstream: Dialect,
  workload: Workload & { readonly kind: "whole" }
): AnswerCheck => {
  const text = wholeText(workload)
  const verbatim = client === upstream ? wholeBody(upstream, workload) : undefined
  return () => {
    const pieces: Array<Buffer> = []
    return {
      read: (bytes) => pieces.push(bytes),
      end: () => {
        const body = Buffer.concat(pieces).toString()
        if (verbatim !== undefined && body !== verbatim) return `not the upstream's body: ${body.slice(0, 200)}`
        return textOfWhole(client, body) === text ? undefined : `wrong text: ${body.slice(0, 200)}`
      }
    }
  }
}

const terminals: Readonly<Record<Dialect, string>> = { chat: "data: [DONE]", messages: "event: message_stop" }

interface ExpectedStream {
  readonly chunks: number
  readonly terminal: string
  /** Known where client and upstream speak one dialect and every byte has to arrive unchanged. */
  readonly verbatim: { readonly frames: number; readonly bytes: number } | undefined
}

/** Follows the marks in the chunks' text, which no dialect's frames change, and counts frames and bytes. */
const streamReader = ({ chunks, terminal, verbatim }: ExpectedStream, latencies: Array<number>): AnswerReader => {
  let rest = ""
  let lastFrame = ""
  let bytes = 0
  let frames = 0
  let marks = 0
  let inOrder = true
  const readMark = (frame: string, now: number): void => {
    const mark = frame.indexOf(markOpen)
    if (mark === -1) return
    const at = mark + markOpen.length
    if (Number(frame.slice(at, at + 4)) !== marks++) inOrder = false
    const stamp = frame.slice(at + 5, at + 5 + stampPlaceholder.length)
    if (stamp !== stampPlaceholder) latencies.push(now - microsOf(stamp))
  }
  return {
    read: (piece) => {
      const now = monotonicMicros()
      bytes += piece.length
      const text = rest + piece.toString("latin1")
      let start = 0
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n", start)) {
        frames++
        lastFrame = text.slice(start, end)
        readMark(lastFrame, now)
        start = end + 2
      }
      rest = text.slice(start)
    },
    end: () => {
      if (marks !== chunks || !inOrder) return `${marks} of ${chunks} chunks${inOrder ? "" : ", not in order"}`
      if (!lastFrame.startsWith(terminal) || rest !== "") return `ended in ${lastFrame}${rest}`
      if (verbatim === undefined) return undefined
      if (frames !== verbatim.frames) return `${frames} of ${verbatim.frames} frames`
      return bytes === verbatim.bytes ? undefined : `${bytes} of ${verbatim.bytes} bytes`
    }
  }
}

const checkStream = (
  client: Dialect,
  upstream: Dialect,
  workload: Workload & { readonly kind: "stream" }
): AnswerCheck => {
  const { chunks, head, tail } = streamFrames(upstream, workload)
  const sent = head + chunks.join("") + tail
  const verbatim = client === upstream ? { frames: sent.split("\n\n").length - 1, bytes: sent.length } : undefined
  const expected = { chunks: workload.chunks, terminal: terminals[client], verbatim }
  return (latencies) => streamReader(expected, latencies)
}

/** The check for what a client of one dialect gets from an upstream of the same or the other one. */
export const answerCheck = (client: Dialect, upstream: Dialect, workload: Workload): AnswerCheck =>
  workload.kind === "whole" ? checkWhole(client, upstream, workload) : checkStream(client, upstream, workload)
