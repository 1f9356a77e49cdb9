import { Effect, Pull } from "effect"
import type { Notice } from "../domain/Call.ts"
import type { Frame } from "../domain/Frame.ts"
import type { LlmError } from "../domain/LlmError.ts"
import { ResponseFold } from "../domain/LlmResponse.ts"
import type { Answer } from "../engine/Answer.ts"
import type { OpenCall } from "../engine/Engine.ts"
import type { Dialect, RenderContext } from "../protocols/Dialect.ts"
import { endSealed, type Relaying } from "./endSealed.ts"
import { explain } from "./explain.ts"
import { Pulse, PulseWatch } from "./Pulse.ts"
import type { ResponseWriter } from "./ResponseWriter.ts"
import type { ServerSettings } from "./Settings.ts"

/**
 * Sends the answer of an open call as a stream. Nothing is sent until the answer has begun, or the caller was kept waiting
 * for `keepAliveMs`: until then a failure can be told with a status. After it, a failure is told in the stream, which then
 * ends without the dialect's sign of success. Either way it is the failure of the effect.
 */
export const relayStream = Effect.fnUntraced(function* (
  opened: OpenCall,
  dialect: Dialect,
  context: RenderContext,
  writer: ResponseWriter,
  settings: ServerSettings,
  onAnswer: (answer: Answer) => void
): Effect.fn.Return<void, LlmError, PulseWatch> {
  const renderer = dialect.renderer(context)
  // Not written as a function here: one that is written where it becomes a property is an old object to V8 from the
  // beginning, and keeps all that it can reach from being freed young. That is this call.
  opened.delivery.onCancelled = writer.giveUp
  const watchdog = yield* PulseWatch
  const pulse = new Pulse(writer, dialect.keepAlive, settings)
  watchdog.watch(pulse)
  const relaying: Relaying = { opened, renderer, writer }
  yield* opened.answer.pipe(
    Effect.flatMap((answer) => {
      onAnswer(answer)
      return eachBatch(answer.pull, (batch) => send(batch, dialect, relaying))
    }),
    Effect.catchCause((cause) => Effect.flatMap(explain(cause), (error) => fail(error, relaying))),
    Effect.ensuring(
      Effect.sync(() => {
        watchdog.unwatch(pulse)
        opened.delivery.bytes = writer.bytes
        for (const notice of renderer.notices) opened.notice(notice)
      })
    )
  )
})

/** Tells a failure in a stream that has begun, and fails with it. */
const fail = (error: LlmError, relaying: Relaying): Effect.Effect<never, LlmError> => {
  const { opened, renderer, writer } = relaying
  if (!writer.begun || writer.ended) return Effect.fail(error)
  const ending = renderer.failure(error)
  if (opened.seal !== undefined) {
    return Effect.andThen(endSealed(opened.seal, ending, error, relaying), Effect.fail(error))
  }
  writer.end(ending)
  return Effect.fail(error)
}

const eachBatch = (
  pull: Answer["pull"],
  take: (batch: ReadonlyArray<Frame>) => Effect.Effect<void, LlmError>
): Effect.Effect<void, LlmError> => {
  const next: Pull.Pull<never, LlmError> = Effect.flatMap(pull, (batch) => Effect.flatMap(take(batch), () => next))
  return Pull.catchDone(next, () => Effect.void)
}

const mayBeVerbatim = ({ repeatsRequest }: Dialect, opened: OpenCall): boolean =>
  repeatsRequest !== true || !opened.requestChanged()

const send = (batch: ReadonlyArray<Frame>, dialect: Dialect, relaying: Relaying): Effect.Effect<void, LlmError> => {
  const { opened, renderer, writer } = relaying
  const verbatim = mayBeVerbatim(dialect, opened)
  let text = ""
  for (const frame of batch) {
    const before = text
    const last = frame.events.at(-1)
    if (verbatim && frame.raw !== undefined && frame.protocol === dialect.id && frame.delivery === "stream")
      text += renderer.verbatim(frame)
    else {
      const failed = last?._tag === "Finish" ? dialect.failsOn?.(last) : undefined
      for (const event of frame.events) if (failed === undefined || event !== last) text += renderer.event(event)
      if (failed !== undefined) return Effect.andThen(writer.write(text), failed)
    }
    if (last?._tag === "Finish") {
      // The answer is complete: the caller does not wait for the end of the provider's connection.
      const ending = text.slice(before.length) + renderer.end()
      if (opened.seal !== undefined) {
        return Effect.andThen(writer.write(before), endSealed(opened.seal, ending, undefined, relaying))
      }
      writer.end(before + ending)
      opened.delivery.complete = true
      return Effect.void
    }
  }
  return writer.write(text)
}

/** A whole answer: its JSON text, the provider's own where it speaks the dialect and nobody changed anything. */
export const relayWhole = Effect.fnUntraced(function* (opened: OpenCall, dialect: Dialect, context: RenderContext) {
  const answer = yield* opened.answer
  const frames: Array<Frame> = []
  yield* eachBatch(answer.pull, (batch) => {
    frames.push(...batch)
    return Effect.void
  })
  const [only] = frames
  const isOwn = only?.protocol === dialect.id && only.delivery === "whole" && mayBeVerbatim(dialect, opened)
  if (frames.length === 1 && only?.raw !== undefined && isOwn) {
    return { answer, text: only.raw }
  }
  const fold = new ResponseFold()
  for (const frame of frames) for (const event of frame.events) fold.add(event)
  const response = fold.response()
  const finish = response.choices[0]?.finish
  const failed = finish === undefined ? undefined : dialect.failsOn?.(finish)
  if (failed !== undefined) return yield* failed
  const notices: Array<Notice> = []
  const text = JSON.stringify(dialect.renderWhole(response, context, notices))
  for (const notice of notices) opened.notice(notice)
  return { answer, text }
})
