import type { WireFrame } from "../../../src/wire/Frame.ts"
import { makeSseDecoder } from "../../../src/wire/Sse.ts"

/** The frames of a stream of server-sent events. */
export const framesOf = (text: string): ReadonlyArray<WireFrame> => {
  const frames: Array<WireFrame> = []
  const decoder = makeSseDecoder()
  decoder.feed(Buffer.from(text), frames)
  decoder.end(frames)
  return frames
}

interface StreamDocument {
  readonly type: string
  readonly index?: number
  readonly delta?: { readonly type?: string; readonly stop_reason?: string | null }
  readonly content_block?: { readonly type: string }
}

/** The documents of a stream. */
export const documentsOf = (text: string): ReadonlyArray<StreamDocument & Record<string, unknown>> =>
  framesOf(text).map((frame) => JSON.parse(frame.data) as StreamDocument & Record<string, unknown>)

const deltasOf: Record<string, ReadonlyArray<string>> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
  mcp_tool_use: ["input_json_delta"],
  compaction: ["compaction_delta"]
}

/**
 * Everything that is wrong with a rendered stream, a line for each: events named, `message_start` first and once, indices
 * dense from 0, one block at a time with deltas of its kind, one `message_delta` after all blocks, `message_stop` last.
 */
export const streamFaults = (text: string): ReadonlyArray<string> => {
  const faults: Array<string> = []
  let open: { readonly index: number; readonly type: string } | undefined
  let next = 0
  let deltas = 0
  const frames = framesOf(text)
  if (frames.map((frame) => frame.raw).join("") !== text) faults.push("the text is more or less than its frames")
  frames.forEach((frame, at) => {
    const document = JSON.parse(frame.data) as StreamDocument
    const fault = (what: string) => faults.push(`${at} ${document.type}: ${what}`)
    if (frame.event !== document.type) fault(`the event is named ${frame.event}`)
    if ((document.type === "message_start") !== (at === 0)) fault("message_start comes first and only there")
    if ((document.type === "message_stop") !== (at === frames.length - 1))
      fault("message_stop comes last and only there")
    switch (document.type) {
      case "content_block_start":
        if (open !== undefined) fault(`block ${open.index} is still open`)
        if (document.index !== next) fault(`the index is ${document.index}, not ${next}`)
        if (deltas > 0) fault("a block after message_delta")
        open = { index: document.index ?? -1, type: document.content_block?.type ?? "" }
        next++
        break
      case "content_block_delta":
        if (open?.index !== document.index) fault(`block ${document.index} is not open`)
        if (deltasOf[open?.type ?? ""]?.includes(document.delta?.type ?? "") !== true) {
          fault(`${document.delta?.type} in a block of the type ${open?.type}`)
        }
        break
      case "content_block_stop":
        if (open?.index !== document.index) fault(`block ${document.index} is not open`)
        open = undefined
        break
      case "message_delta":
        deltas++
        if (open !== undefined) fault("a block is still open")
        if (typeof document.delta?.stop_reason !== "string") fault("no stop reason")
        break
    }
  })
  if (deltas !== 1) faults.push(`${deltas} message_delta`)
  return faults
}
