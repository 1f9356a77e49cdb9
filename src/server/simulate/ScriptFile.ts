import { Effect, FileSystem, Result, Schema } from "effect"
import { LlmEvent } from "../../domain/LlmEvent.ts"
import { documentDecoder } from "../../protocols/document.ts"
import { splitModelName } from "../../providers/simulator/ModelName.ts"
import { readOptions, type Options } from "../../providers/simulator/Options.ts"
import { replayPrefix } from "./Replay.ts"
import { SimulateError } from "./SimulateError.ts"

/** Raw bytes to answer with, e.g. an event stream that was seen somewhere. */
const RawReply = Schema.Struct({
  raw: Schema.String,
  status: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 }))),
  contentType: Schema.optionalKey(Schema.String)
})

const Entry = Schema.Struct({
  model: Schema.NonEmptyString,
  reply: Schema.Union([Schema.String, Schema.Array(LlmEvent), RawReply]),
  options: Schema.optionalKey(Schema.String)
})

/** What a scripted model answers: a text, canonical events, or raw bytes. */
export type Reply = (typeof Entry.Type)["reply"]

/** One scripted answer; the options are those of the file, read. */
export interface ScriptedAnswer {
  readonly reply: Reply
  readonly options: Options
}

/** Scripted answers by model. */
export interface ScriptFile {
  readonly models: ReadonlyArray<string>
  /**
   * The next answer of a model: those that the file lists for it in turn, the last one for ever. The model `*` answers
   * for every name that no other entry has, except those of recordings.
   */
  readonly next: (model: string) => ScriptedAnswer | undefined
  /** Begins every model's answers anew. */
  readonly reset: () => void
}

export const noScript: ScriptFile = { models: [], next: () => undefined, reset: () => undefined }

const decodeEntries = documentDecoder(Schema.Struct({ answers: Schema.Array(Entry) }))
const parseJson = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))

/**
 * Reads scripted answers: a JSON list of `{ model, reply, options? }`. `reply` is a text, a list of canonical events, or
 * `{ raw, status?, contentType? }`; `options` are the options of simulated models (`first=1s&pace=20ms&reset=3`).
 */
export const openScript = Effect.fn("simulate.openScript")(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const fail = (message: string) => new SimulateError({ message: `${path}: ${message}` })
  const text = yield* files.readFileString(path).pipe(Effect.mapError((error) => fail(error.message)))
  const json = yield* Effect.fromResult(parseJson(text)).pipe(Effect.mapError(() => fail("is not JSON")))
  const decoded = decodeEntries({ answers: json })
  const { answers } = yield* Effect.fromResult(decoded).pipe(Effect.mapError((error) => fail(error.message)))
  const byModel = new Map<string, Array<ScriptedAnswer>>()
  for (const [index, { model, options, reply }] of answers.entries()) {
    const read = readOptions(options ?? "")
    if (Result.isFailure(read)) return yield* fail(`answers[${index}].options: ${read.failure.message}`)
    const listed = byModel.get(model) ?? []
    byModel.set(model, [...listed, { reply, options: read.success }])
  }
  return scriptFileOf(byModel)
})

const scriptFileOf = (byModel: ReadonlyMap<string, ReadonlyArray<ScriptedAnswer>>): ScriptFile => {
  const positions = new Map<string, number>()
  const next = (name: string) => {
    const others = name.startsWith(replayPrefix) ? [] : ["*"]
    const model = [name, splitModelName(name).bare, ...others].find((candidate) => byModel.has(candidate))
    const answers = model === undefined ? undefined : byModel.get(model)
    if (model === undefined || answers === undefined) return undefined
    const position = positions.get(model) ?? 0
    positions.set(model, position + 1)
    return answers[Math.min(position, answers.length - 1)]
  }
  return { models: [...byModel.keys()].filter((model) => model !== "*"), next, reset: () => positions.clear() }
}
