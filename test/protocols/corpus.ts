import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Frame } from "../../src/domain/Frame.ts"
import { failure, type LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { foldEvents, textOf, type Choice, type LlmResponse } from "../../src/domain/LlmResponse.ts"
import type { Usage } from "../../src/domain/Usage.ts"
import type { Protocol } from "../../src/protocols/Protocol.ts"
import type { WireFrame } from "../../src/wire/Frame.ts"

/** A JSON document as a test looks into it. */
export type Document = { readonly [key: string]: unknown }

/** What an independent decoder found in a recording. Names and counts are the provider's own. */
export interface Expected {
  readonly text?: string
  readonly reasoning?: string
  readonly refusal?: string
  readonly choices?: ReadonlyArray<{ readonly index: number; readonly text: string; readonly finish_reason: unknown }>
  readonly tool_calls: ReadonlyArray<ExpectedToolCall>
  /** their names alone where they are no calls on the wire */
  readonly server_tool_calls?: ReadonlyArray<ExpectedToolCall | string>
  /** a number where the recorder wrote a value of the API's own list by its number */
  readonly finish_reason: string | number | null
  /** why a prompt was refused, where that is the whole answer */
  readonly block_reason?: string
  readonly stop_sequence?: string
  readonly usage: ExpectedUsage | null
  readonly usage_raw?: unknown
  readonly signatures?: number
  readonly error?: unknown
}

export interface ExpectedToolCall {
  readonly id: string | null
  readonly name: string
  readonly arguments: string
  readonly arguments_json: unknown
  readonly arguments_valid_json: boolean
}

export interface ExpectedUsage {
  readonly input?: number
  readonly output?: number
  readonly total?: number
  readonly cache_read?: number
  readonly cache_write?: number
  readonly reasoning?: number
}

/** One recording: a stream, a whole answer, or an HTTP error (`status` not 200). */
export interface CorpusCase {
  readonly name: string
  readonly folder: string
  readonly vendor: string
  readonly stream: boolean
  readonly status: number
  readonly body: Buffer
  readonly request: Document | undefined
  readonly expected: Expected
}

const root = fileURLToPath(new URL("../../../shared/wire", import.meta.url))

/** Whether the recordings are there; tests that need them are skipped where they are not. */
export const corpusPresent = existsSync(join(root, "index.json"))
if (!corpusPresent)
  process.stderr.write(`recorded traffic is not there (${root}): the tests that read it are skipped\n`)

const readJson = (path: string): Document => JSON.parse(readFileSync(path, "utf8")) as Document

const readCase = (folder: string, meta: Document): CorpusCase => {
  const request = meta["request"]
  return {
    name: `${folder}/${String(meta["name"])}`,
    folder,
    vendor: String(meta["vendor"]),
    stream: meta["stream"] === true,
    status: Number(meta["status"]),
    body: readFileSync(join(root, folder, String(meta["body"]))),
    request: typeof request === "string" ? readJson(join(root, folder, request)) : undefined,
    // The recordings come with a description of these fields.
    expected: meta["expected"] as Expected
  }
}

/** All recordings of one wire format, as their metadata names it (`openai-chat`, `anthropic`, …), in a fixed order. */
export const corpusCases = (wire: string): ReadonlyArray<CorpusCase> =>
  !corpusPresent
    ? []
    : readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".meta.json"))
        .toSorted()
        .map((path) => ({ folder: path.slice(0, path.lastIndexOf("/")), meta: readJson(join(root, path)) }))
        .filter(({ meta }) => meta["wire"] === wire)
        .map(({ folder, meta }) => readCase(folder, meta))

/** A body in pieces: cut at the given offsets, which rise. */
export const cutAt = (body: Uint8Array, offsets: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const cuts = [0, ...offsets, body.length]
  return cuts.slice(1).map((to, i) => body.subarray(cuts[i], to))
}

/** Offsets that look random and are the same in every run. */
export const randomOffsets = (seed: number, length: number, count: number): ReadonlyArray<number> => {
  let state = seed >>> 0
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: count }, () => Math.floor(next() * (length + 1))).toSorted((a, b) => a - b)
}

/** What came of the decoding of a body: its frames and events as far as they came, and the failure that ended it. */
export interface Decoded {
  readonly frames: ReadonlyArray<Frame>
  readonly events: ReadonlyArray<LlmEvent>
  readonly error: LlmError | undefined
}

/** Decodes a stream from its bytes as they came, as a deployment does. */
export const decodeStream = (protocol: Protocol, chunks: Iterable<Uint8Array>): Decoded => {
  const framing = protocol.frames()
  const decoder = protocol.decoder()
  const frames: Array<Frame> = []
  let error: LlmError | undefined
  const step = (wireFrames: ReadonlyArray<WireFrame>) => {
    for (const wireFrame of wireFrames) {
      if (error !== undefined) return
      const events: Array<LlmEvent> = []
      error = decoder.step(wireFrame, events)
      // The text of a frame that says a failure is sent with the failure.
      const raw = error === undefined ? wireFrame.raw : ""
      if (raw !== "" || events.length > 0) frames.push({ protocol: protocol.id, delivery: "stream", raw, events })
    }
  }
  const read = (run: (out: Array<WireFrame>) => unknown) => {
    const out: Array<WireFrame> = []
    const broken = run(out)
    step(out)
    if (broken !== undefined) error ??= failure({ _tag: "InvalidOutput", kind: "frameTooLarge" }, "frame too large")
  }
  for (const chunk of chunks) read((out) => framing.feed(chunk, out))
  read((out) => framing.end(out))
  if (error === undefined) {
    const events: Array<LlmEvent> = []
    error = decoder.halt(events)
    if (events.length > 0) frames.push({ protocol: protocol.id, delivery: "stream", raw: "", events })
  }
  return { frames, events: frames.flatMap((frame) => frame.events), error }
}

/** Decodes a whole answer. */
export const decodeWhole = (protocol: Protocol, body: Uint8Array): Decoded => {
  const raw = Buffer.from(body).toString("utf8")
  const events: Array<LlmEvent> = []
  const error = protocol.decodeWhole(JSON.parse(raw), events)
  return { frames: [{ protocol: protocol.id, delivery: "whole", raw, events }], events, error }
}

/** What a decoded answer and an expectation are compared by. */
export interface Gist {
  readonly text: string
  readonly reasoning: string
  readonly refusal: string
  readonly finishReason: string | null
  readonly choices: ReadonlyArray<{
    readonly index: number
    readonly text: string
    readonly finishReason: string | null
  }>
  readonly toolCalls: ReadonlyArray<ToolGist>
  readonly serverTools: ReadonlyArray<string>
}

interface ToolGist {
  readonly id: string | null
  readonly name: string
  readonly arguments: unknown
  readonly valid: boolean
}

const gistOfArguments = (text: string): Pick<ToolGist, "arguments" | "valid"> => {
  const complete = /^\s*(null)?\s*$/.test(text) ? "{}" : text
  try {
    return { arguments: JSON.parse(complete) as unknown, valid: true }
  } catch {
    return { arguments: text, valid: false }
  }
}

const rawReason = (choice: Choice | undefined): string | null => choice?.finish?.rawReason ?? null

/** The gist of a decoded answer. Ids that the provider did not give are left out as `expectedGist` leaves them out. */
export const decodedGist = (decoded: Decoded, expected: Expected): Gist => {
  const response: LlmResponse = foldEvents(decoded.events)
  const first = response.choices.find((choice) => choice.index === 0)
  const calls = decoded.events.flatMap((event) => (event._tag === "ToolInputStart" ? [event.id] : []))
  const parts = response.choices.flatMap((choice) => choice.parts)
  const tools = calls.flatMap((id) =>
    parts.flatMap((part) => (part._tag === "ToolCall" && part.id === id ? [part] : []))
  )
  const own = tools.filter((tool) => tool.providerExecuted !== true)
  return {
    text: textOf(first),
    reasoning: (first?.parts ?? []).map((part) => (part._tag === "Reasoning" ? part.text : "")).join(""),
    refusal: (first?.parts ?? []).map((part) => (part._tag === "Refusal" ? part.text : "")).join(""),
    finishReason: rawReason(first),
    choices:
      expected.choices === undefined
        ? []
        : response.choices.map((choice) => ({
            index: choice.index,
            text: textOf(choice),
            finishReason: rawReason(choice)
          })),
    toolCalls: own.map((tool, i) => ({
      id: expected.tool_calls[i]?.id ? tool.id : null,
      name: tool.name,
      arguments: tool.valid ? (JSON.parse(tool.arguments) as unknown) : tool.arguments,
      valid: tool.valid
    })),
    serverTools: tools.filter((tool) => tool.providerExecuted === true).map((tool) => tool.name)
  }
}

/**
 * The gist of an expectation. A call with neither a name nor arguments is none, and an empty finish reason is not stated:
 * there are servers that fill every field of their documents.
 */
export const expectedGist = (expected: Expected): Gist => ({
  text: expected.text ?? "",
  reasoning: expected.reasoning ?? "",
  refusal: expected.refusal ?? "",
  finishReason: expected.finish_reason ? String(expected.finish_reason) : (expected.block_reason ?? null),
  choices: (expected.choices ?? []).map((choice) => ({
    index: choice.index,
    text: choice.text,
    finishReason: typeof choice.finish_reason === "string" ? choice.finish_reason : null
  })),
  toolCalls: expected.tool_calls
    .filter((call) => call.name !== "" || call.arguments !== "")
    .map((call) => ({ id: call.id || null, name: call.name, ...gistOfArguments(call.arguments) })),
  serverTools: (expected.server_tool_calls ?? []).map((call) => (typeof call === "string" ? call : call.name))
})

/** The usage of a decoded answer; counts that were never stated are absent. */
export const decodedUsage = (decoded: Decoded): Usage => foldEvents(decoded.events).usage
