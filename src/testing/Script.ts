import { type Duration, Effect, Stream } from "effect"
import type { LlmError } from "../domain/LlmError.ts"
import type { FinishReason, LlmEvent } from "../domain/LlmEvent.ts"
import type { Usage } from "../domain/Usage.ts"

/** One step of a scripted answer: events at once, a wait on the Clock, a failure, or silence for ever. */
export type Step =
  | { readonly _tag: "Emit"; readonly events: ReadonlyArray<LlmEvent> }
  | { readonly _tag: "Wait"; readonly duration: Duration.Input }
  | { readonly _tag: "Fail"; readonly error: LlmError }
  | { readonly _tag: "Hang" }

/** What an upstream does with one request, step by step. */
export type Script = ReadonlyArray<Step>

/** Sends the given events at once. */
export const emit = (...events: ReadonlyArray<LlmEvent>): Step => ({ _tag: "Emit", events })

/** Waits on the Clock, so that TestClock governs it. */
export const wait = (duration: Duration.Input): Step => ({ _tag: "Wait", duration })

/** Fails; what was sent before stands. */
export const fail = (error: LlmError): Step => ({ _tag: "Fail", error })

/** Says nothing more, for ever: what timeouts and cancellation are tested with. */
export const hang: Step = { _tag: "Hang" }

/** The beginning of an answer. */
export const started = (model = "scripted", id = "answer"): Step => emit({ _tag: "Started", id, model })

/** A block of text, one delta for every piece. `id` is the block's, unique within the answer. */
export const text = (pieces: string | ReadonlyArray<string>, id = "text"): Step =>
  emit(
    { _tag: "TextStart", id },
    ...(typeof pieces === "string" ? [pieces] : pieces).map((piece) => ({
      _tag: "TextDelta" as const,
      id,
      text: piece
    })),
    { _tag: "TextEnd", id }
  )

/** A block of reasoning, with the signature that the next turn needs. */
export const reasoning = (thought: string, signature = "signature", id = "reasoning"): Step =>
  emit(
    { _tag: "ReasoningStart", id },
    { _tag: "ReasoningDelta", id, text: thought },
    { _tag: "ReasoningEnd", id, signature }
  )

/** A complete tool call. */
export const toolCall = (id: string, name: string, input: { readonly [key: string]: unknown }): Step => {
  const args = JSON.stringify(input)
  return emit(
    { _tag: "ToolInputStart", id, name },
    { _tag: "ToolInputDelta", id, text: args },
    { _tag: "ToolInputEnd", id },
    { _tag: "ToolCall", id, name, arguments: args, valid: true }
  )
}

/** The end of an answer. */
export const finish = (
  reason: FinishReason = "stop",
  usage: Partial<Usage> = { inputTokens: 1, outputTokens: 1 }
): Step => emit({ _tag: "Finish", reason, usage: { source: "provider", ...usage } })

/** The events of a script as they happen. */
export const play = (script: Script): Stream.Stream<LlmEvent, LlmError> =>
  Stream.fromIterable(script).pipe(
    // One step after the other: a step further on must not run before what stands before it was taken.
    Stream.rechunk(1),
    Stream.flatMap(playStep)
  )

const playStep = (step: Step): Stream.Stream<LlmEvent, LlmError> => {
  switch (step._tag) {
    case "Emit":
      return Stream.fromIterable(step.events)
    case "Wait":
      return Stream.fromEffectDrain(Effect.sleep(step.duration))
    case "Fail":
      return Stream.fail(step.error)
    case "Hang":
      return Stream.never
  }
}
