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

interface StreamItem {
  readonly id?: string
  readonly type: string
  readonly status?: string
  readonly [key: string]: unknown
}

export interface StreamDocument {
  readonly type: string
  readonly sequence_number?: number
  readonly output_index?: number
  readonly content_index?: number
  readonly item_id?: string
  readonly delta?: string
  readonly text?: string
  readonly refusal?: string
  readonly arguments?: string
  readonly input?: string
  readonly item?: StreamItem
  readonly response?: { readonly id: string; readonly status: string; readonly output: ReadonlyArray<StreamItem> }
  readonly [key: string]: unknown
}

/** The documents of a stream. */
export const documentsOf = (text: string): ReadonlyArray<StreamDocument> =>
  framesOf(text).map((frame) => JSON.parse(frame.data) as StreamDocument)

const ownerOf: Record<string, string> = {
  output_text: "message",
  refusal: "message",
  content_part: "message",
  reasoning_summary_text: "reasoning",
  reasoning_summary_part: "reasoning",
  function_call_arguments: "function_call",
  custom_tool_call_input: "custom_tool_call"
}
const terminals = ["response.completed", "response.incomplete", "response.failed"]

interface OpenItem {
  readonly item: StreamItem
  readonly texts: Map<string, string>
  readonly parts: Set<number>
  done: StreamItem | undefined
}

/**
 * Everything that is wrong with a rendered stream, a line for each: events named, numbers without a hole, created and in
 * progress first, items announced once at dense indices, pieces within their items and parts, endings that say what was
 * streamed, every item ended, and last the whole response with the items as they ended.
 */
export const streamFaults = (text: string): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const items: Array<OpenItem> = []
  const frames = framesOf(text)
  if (frames.map((frame) => frame.raw).join("") !== text) faults.push("the text is more or less than its frames")
  frames.forEach((frame, at) => {
    const document = JSON.parse(frame.data) as StreamDocument
    const { type, output_index: index = -1, item } = document
    const fault = (what: string) => faults.push(`${at} ${type}: ${what}`)
    if (frame.event !== type) fault(`the event is named ${frame.event}`)
    if (document.sequence_number !== at) fault(`the number is ${document.sequence_number}`)
    if ((type === "response.created") !== (at === 0)) fault("response.created comes first and only there")
    if ((type === "response.in_progress") !== (at === 1)) fault("response.in_progress comes second and only there")
    if (terminals.includes(type) !== (at === frames.length - 1)) fault("the terminal comes last and only there")
    if (type === "response.output_item.added") {
      if (index !== items.length || item === undefined) fault(`the index is ${index}, not ${items.length}`)
      else items.push({ item, texts: new Map(), parts: new Set(), done: undefined })
      return
    }
    if (terminals.includes(type)) return checkTerminal(document, items, fault)
    if (document.output_index === undefined) return
    const open = items[index]
    if (open === undefined || open.done !== undefined) return fault(`item ${index} is not open`)
    if (type === "response.output_item.done") {
      open.done = item
      if (item?.id !== open.item.id || item?.type !== open.item.type) fault("another item ends than began")
      return
    }
    checkPiece(document, open, fault)
  })
  return faults
}

const checkPiece = (document: StreamDocument, open: OpenItem, fault: (what: string) => void): void => {
  const [, subject = "", step = ""] = /^response\.(\w+)\.(?:annotation\.)?(\w+)$/.exec(document.type) ?? []
  if (ownerOf[subject] !== open.item.type) return fault(`in an item of the type ${open.item.type}`)
  if (document.item_id !== open.item.id) fault(`the item is ${open.item.id}`)
  const part = document.content_index ?? 0
  const key = `${subject} ${part}`
  if (subject === "content_part") {
    if (step === "added" && open.parts.has(part)) fault("the part was there before")
    open.parts.add(part)
  } else if (open.item.type === "message" && !open.parts.has(part)) fault(`part ${part} was not announced`)
  if (step === "delta") open.texts.set(key, (open.texts.get(key) ?? "") + (document.delta ?? ""))
  const whole = document.text ?? document.refusal ?? document.arguments ?? document.input
  if (step === "done" && whole !== undefined && whole !== (open.texts.get(key) ?? "")) fault("ends as something else")
}

const checkTerminal = (
  { type, response }: StreamDocument,
  items: ReadonlyArray<OpenItem>,
  fault: (what: string) => void
): void => {
  if (response?.status !== type.replace("response.", "")) fault(`the status is ${response?.status}`)
  items.forEach((open, index) => {
    if (open.done === undefined) fault(`item ${index} was never ended`)
  })
  const ended = items.map(({ done }) => ({ ...done, content: undefined }))
  const said = response?.output.map((item) => ({ ...item, content: undefined }))
  if (JSON.stringify(said) !== JSON.stringify(ended)) fault("the output is not what was streamed")
}
