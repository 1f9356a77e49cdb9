import { Clock, Effect, Stream } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { type EmbedRequest, Upstream, type UpstreamRequest } from "../../routing/Upstream.ts"
import { unsignedCall, withSignedCalls } from "./CallSigning.ts"
import { embedSimulated } from "./embed.ts"
import { failureOf, type Fault } from "./Fault.ts"
import { Faults, stepsBefore } from "./Faults.ts"
import { parseModelName, type SimulatedModel } from "./ModelName.ts"
import { scriptOf, simulatedOrigin, wholeWaitMs, type Script } from "./Script.ts"
import { hash } from "./Seeded.ts"

/** The most events that are handed on at once: a script without pace is no single huge batch. */
const batchLength = 64

/**
 * A provider without a network: its models are the names of `parseModelName`, on the Clock, so that TestClock governs
 * them. The same request gets the same answer; only the answer's id counts up. Faults that need bytes to happen (splits)
 * are reported as a notice: there are no bytes here.
 */
export const makeSimulatorUpstream = (): Upstream["Service"] => {
  const faults = new Faults()
  let answered = 0
  const answering = Upstream.fromEvents((request) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const model = yield* Effect.fromResult(parseModelName(request.model))
        const created = Math.floor((yield* Clock.currentTimeMillis) / 1000)
        request.observer.connected()
        tellSplits(model, request)
        const id = `sim-${hash(model.name).toString(36)}-${++answered}`
        const unsigned = model.options.sign ? unsignedCall(request.request, simulatedOrigin) : undefined
        if (unsigned !== undefined) return yield* unsigned
        const made = scriptOf(model, request.request, { id, model: model.name, created })
        const script = model.options.sign ? withSignedCalls(made, simulatedOrigin) : made
        return perform(model, script, faults.next(model.name, model.options), request)
      })
    )
  )
  const embed = ({ request, model, observer }: EmbedRequest) =>
    Effect.suspend(() => {
      observer.connected()
      return embedSimulated({ ...request, model }, faults)
    })
  return { ...answering, embed }
}

const tellSplits = (model: SimulatedModel, request: UpstreamRequest): void => {
  if (model.options.splits === undefined) return
  request.observer.notice({
    code: "simulator_splits",
    message: "one-byte and split need a connection: run `millrace simulate` and call it as a provider"
  })
}

/** What a request gets: its script, or what comes of it before the fault. */
const perform = (
  model: SimulatedModel,
  script: Script,
  fault: Fault | undefined,
  { delivery, observer }: UpstreamRequest
): Stream.Stream<LlmEvent, LlmError> => {
  if (fault?._tag === "Hang") return Stream.never
  const whole = delivery === "whole"
  const head = Stream.fromEffectDrain(
    Effect.andThen(
      wait(script.headMs),
      Effect.sync(() => observer.head(fault?._tag === "Status" ? fault.status : 200))
    )
  )
  const shown = whole ? asWhole(script, model) : script
  if (fault === undefined) return Stream.concat(head, play(shown))
  const failure = failureOf(fault, model.name)
  const end = failure === undefined ? Stream.never : Stream.fail(failure)
  // A whole answer that fails is no answer at all.
  if (whole || fault._tag === "Status") return Stream.concat(head, end)
  const before = { ...script, steps: script.steps.slice(0, stepsBefore(script, fault.after)) }
  return Stream.concat(head, Stream.concat(play(before), end))
}

const asWhole = (script: Script, model: SimulatedModel): Script => ({
  ...script,
  steps: [{ waitMs: wholeWaitMs(script, model.options), events: script.steps.flatMap((step) => step.events) }]
})

const wait = (milliseconds: number): Effect.Effect<void> =>
  milliseconds > 0 ? Effect.sleep(milliseconds) : Effect.void

/** The events of a script at their times; those that come together are handed on together. */
export const play = (script: Script): Stream.Stream<LlmEvent> =>
  Stream.fromIterable(batchesOf(script)).pipe(
    Stream.mapEffect((batch) => Effect.as(wait(batch.waitMs), batch.events)),
    Stream.flattenArray
  )

interface Batch {
  readonly waitMs: number
  readonly events: [LlmEvent, ...Array<LlmEvent>]
}

const batchesOf = (script: Script): ReadonlyArray<Batch> => {
  const batches: Array<Batch> = []
  let room = 0
  for (const step of script.steps) {
    const [first, ...rest] = step.events
    if (first === undefined) continue
    const last = batches.at(-1)
    if (last !== undefined && step.waitMs === 0 && room >= step.events.length) last.events.push(first, ...rest)
    else {
      batches.push({ waitMs: step.waitMs, events: [first, ...rest] })
      room = batchLength
    }
    room -= step.events.length
  }
  return batches
}
