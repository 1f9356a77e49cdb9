import { Clock, Effect } from "effect"
import type { Origin } from "../../domain/Call.ts"
import type { EmbeddingAnswer, EmbeddingRequest } from "../../domain/Embedding.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import type { DecodedRequest, RenderContext } from "../../protocols/Dialect.ts"
import { failure } from "../../domain/LlmError.ts"
import { unsignedCall } from "../../providers/simulator/CallSigning.ts"
import { embedSimulated } from "../../providers/simulator/embed.ts"
import { Faults } from "../../providers/simulator/Faults.ts"
import { parseModelName, simulatedModels, splitModelName } from "../../providers/simulator/ModelName.ts"
import { readOptions, type Options, type Splits } from "../../providers/simulator/Options.ts"
import { scriptOf, type Identity } from "../../providers/simulator/Script.ts"
import { framingOf } from "./Framing.ts"
import { performFailure, performRecording, performScript, type Performance, type Stage } from "./Performance.ts"
import { replayPrefix, type Replay } from "./Replay.ts"
import { scriptOfEvents, scriptOfText } from "./scripted.ts"
import type { ScriptedAnswer, ScriptFile } from "./ScriptFile.ts"
import type { SimulatedDialect } from "../../providers/simulator/SimulatedDialect.ts"
import type { SimulateError } from "./SimulateError.ts"

/** What the server does for a request: the connection's performance, and how its bytes are cut. */
export interface Part {
  readonly performance: Performance
  readonly splits: Splits | undefined
}

/**
 * Decides what a request gets: a scripted answer where the script file has its model, a recording under `replay/`, else
 * what the simulated model of this name says. One for each server: it counts answers and faults.
 */
export class Simulation {
  private readonly replay: Replay
  private readonly script: ScriptFile
  private readonly faults = new Faults()
  private answered = 0

  constructor(replay: Replay, script: ScriptFile) {
    this.replay = replay
    this.script = script
  }

  /** Every model that can be named. */
  get models(): ReadonlyArray<string> {
    return [...simulatedModels, ...this.script.models, ...this.replay.names.map((name) => `${replayPrefix}${name}`)]
  }

  /** Begins anew: scripted answers, faults that strike a number of times, the ids of answers. */
  reset(): void {
    this.script.reset()
    this.faults.reset()
    this.answered = 0
  }

  /** The part of a decoded request. A request that cannot be answered gets the dialect's error. */
  readonly partOf = Effect.fnUntraced(function* (
    this: Simulation,
    dialect: SimulatedDialect,
    decoded: DecodedRequest,
    body: Origin["body"]
  ) {
    const created = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const { request } = decoded
    const id = `sim-${++this.answered}`
    // Some of what is rendered depends on how it was asked for: the usage of a stream, for one.
    const origin = { protocol: dialect.id, body, text: "", headers: {} }
    const context: RenderContext = { id, created, request, origin }
    const { performance, splits } = yield* this.choose(dialect, decoded, context).pipe(
      Effect.catchTag("LlmError", (error): Effect.Effect<Part, SimulateError> =>
        Effect.succeed({
          performance: performFailure(error, { dialect, context }),
          splits: undefined
        })
      )
    )
    // Each official SDK reads one of the two.
    const headers = { "x-request-id": id, "request-id": id, ...performance.headers }
    return { performance: { ...performance, headers }, splits }
  })

  /** The vectors of a request; script file and recordings have none. */
  embed(request: EmbeddingRequest): Effect.Effect<EmbeddingAnswer, LlmError> {
    return embedSimulated(request, this.faults)
  }

  private choose(
    dialect: SimulatedDialect,
    { delivery, request }: DecodedRequest,
    context: RenderContext
  ): Effect.Effect<Part, LlmError | SimulateError> {
    const stageOf = (options: Options): Stage => {
      const fault = this.faults.next(request.model, options)
      return { dialect, context, delivery, options, fault }
    }
    const identity = { id: context.id, model: request.model, created: context.created }
    const scripted = this.script.next(request.model)
    if (scripted !== undefined) {
      return Effect.map(optionsOf(request.model, scripted.options), (options) => {
        const performance = performScripted({ ...scripted, options }, stageOf(options), identity)
        return { performance, splits: options.splits }
      })
    }
    if (request.model.startsWith(replayPrefix)) return this.chooseRecording(request.model, stageOf)
    return Effect.map(Effect.fromResult(parseModelName(request.model)), (model) => {
      const stage = stageOf(model.options)
      const unsigned = model.options.sign ? unsignedCall(request, dialect.id) : undefined
      const performance =
        unsigned === undefined
          ? performScript(scriptOf(model, request, identity), stage)
          : performFailure(unsigned, stage)
      return { performance, splits: model.options.splits }
    })
  }

  private readonly chooseRecording = Effect.fnUntraced(function* (
    this: Simulation,
    model: string,
    stageOf: (options: Options) => Stage
  ): Effect.fn.Return<Part, LlmError | SimulateError> {
    const { bare, options: text } = splitModelName(model)
    const options = yield* Effect.fromResult(readOptions(text))
    const stage = stageOf(options)
    const recording = yield* this.replay.read(bare.slice(replayPrefix.length), stage.delivery)
    if (recording === undefined) return yield* unknownRecording(model, this.replay)
    return { performance: performRecording(recording, stage), splits: options.splits }
  })
}

/** The options of a scripted answer: those in the model's name, if it has any, stand in place of the file's. */
const optionsOf = (model: string, fromFile: Options): Effect.Effect<Options, LlmError> => {
  const { options } = splitModelName(model)
  return options === "" ? Effect.succeed(fromFile) : Effect.fromResult(readOptions(options))
}

const performScripted = ({ options, reply }: ScriptedAnswer, stage: Stage, identity: Identity): Performance => {
  const { request } = stage.context
  if (typeof reply === "string") return performScript(scriptOfText(reply, options, request, identity), stage)
  if ("raw" in reply) {
    const contentType = reply.contentType ?? "text/event-stream; charset=utf-8"
    const delivery = /event-?stream|ndjson/.test(contentType) ? "stream" : "whole"
    const bytes = Buffer.from(reply.raw)
    const framing = framingOf(contentType)
    return performRecording({ bytes, contentType, delivery, framing, status: reply.status ?? 200 }, stage)
  }
  return performScript(scriptOfEvents(reply, options, identity), stage)
}

const unknownRecording = (model: string, { names }: Replay): LlmError => {
  const last = splitModelName(model).bare.slice(replayPrefix.length).split("/").at(-1) ?? ""
  const near = names.filter((name) => name.includes(last)).slice(0, 5)
  const hint =
    names.length === 0
      ? "no recordings are served: start with --replay <folder>"
      : near.length === 0
        ? `there are ${names.length}, listed at GET /v1/models`
        : `did you mean ${near.join(", ")}?`
  return failure({ _tag: "UnknownModel", model, near }, `there is no recording "${model}"; ${hint}`)
}
