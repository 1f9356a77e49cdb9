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

interface ChunkDocument {
  readonly candidates?: ReadonlyArray<{
    readonly index?: number
    readonly finishReason?: string
    readonly content?: { readonly role?: string; readonly parts?: ReadonlyArray<object> }
  }>
  readonly promptFeedback?: { readonly blockReason?: string }
  readonly usageMetadata?: object
  readonly error?: object
}

/** The chunks of a stream. */
export const chunksOf = (text: string): ReadonlyArray<ChunkDocument> =>
  framesOf(text).map(({ data }) => JSON.parse(data) as ChunkDocument)

/**
 * Everything that is wrong with a stream, a line for each: events that begin with `data:` and hold one line of JSON, no
 * other fields, no terminator, the role in every content, each candidate ended once and nothing of it after that.
 */
export const streamFaults = (text: string): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const frames = framesOf(text)
  if (frames.map(({ raw }) => raw).join("") !== text) faults.push("the text is more or less than its frames")
  const ended = new Set<number>()
  let endings = 0
  frames.forEach(({ raw, data }, at) => {
    const fault = (what: string) => faults.push(`${at}: ${what}`)
    if (!/^data: [^\r\n]*(\n\n|\r\n\r\n)$/.test(raw)) fault("not one line of data")
    const chunk = JSON.parse(data) as ChunkDocument
    if (chunk.promptFeedback?.blockReason !== undefined) endings++
    for (const { index = 0, content, finishReason } of chunk.candidates ?? []) {
      if (content?.parts !== undefined && content.role !== "model") fault("content without its role")
      if (ended.has(index) && (content?.parts ?? []).length > 0) fault(`candidate ${index} has ended`)
      if (finishReason === undefined) continue
      if (ended.has(index)) fault(`candidate ${index} ends again`)
      ended.add(index)
      endings++
    }
  })
  if (endings === 0) faults.push("no ending")
  return faults
}
