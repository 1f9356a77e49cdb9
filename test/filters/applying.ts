import { Effect, Exit, Result, Scope, Stream } from "effect"
import type { FilterFailure, Finding } from "../../src/domain/Call.ts"
import { failure } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import { prompt } from "../../src/domain/prompt.ts"
import type { Filter, FilterContext } from "../../src/filters/Filter.ts"
import { eventSide } from "../../src/filters/eventSide.ts"
import { requestSide } from "../../src/filters/requestSide.ts"
import { type Ending, isEnding } from "../../src/filters/Verdict.ts"

/** A filter that must be usable. */
export const usable = (filter: Result.Result<Filter, string> | Filter): Filter =>
  "name" in filter ? filter : Result.getOrThrow(filter)

/** What filters know of a call that no engine makes. */
export const testContext = (
  more: Partial<FilterContext> = {}
): FilterContext & { readonly findings: Array<Finding>; readonly failures: Array<FilterFailure> } => {
  const findings: Array<Finding> = []
  const failures: Array<FilterFailure> = []
  return {
    findings,
    failures,
    callId: "call",
    requestId: undefined,
    dialect: undefined,
    delivery: "stream",
    wants: "answer",
    caller: {},
    conversation: undefined,
    headers: {},
    scope: Scope.makeUnsafe(),
    report: (finding) => void findings.push(finding),
    failed: (failure) => void failures.push(failure),
    ask: () => failure({ _tag: "Internal" }, "nobody to ask"),
    ...more
  }
}

/** The events of an answer of one block, one delta for every piece. */
export const answerOf = (
  kind: "text" | "reasoning" | "tools",
  pieces: ReadonlyArray<string>
): ReadonlyArray<LlmEvent> => {
  const id = "block"
  const started: LlmEvent = { _tag: "Started", id: "answer", model: "model" }
  const finish: LlmEvent = { _tag: "Finish", reason: "stop", usage: { source: "none" } }
  switch (kind) {
    case "text":
      return [
        started,
        { _tag: "TextStart", id },
        ...pieces.map((text): LlmEvent => ({ _tag: "TextDelta", id, text })),
        { _tag: "TextEnd", id },
        finish
      ]
    case "reasoning":
      return [
        started,
        { _tag: "ReasoningStart", id },
        ...pieces.map((text): LlmEvent => ({ _tag: "ReasoningDelta", id, text })),
        { _tag: "ReasoningEnd", id, signature: "signed" },
        finish
      ]
    case "tools":
      return [
        started,
        { _tag: "ToolInputStart", id, name: "tool" },
        ...pieces.map((text): LlmEvent => ({ _tag: "ToolInputDelta", id, text })),
        { _tag: "ToolInputEnd", id },
        { _tag: "ToolCall", id, name: "tool", arguments: pieces.join(""), valid: true },
        finish
      ]
  }
}

/** What left of an answer: the events, how it ended, and the text that they hold. */
export interface Left {
  readonly events: ReadonlyArray<LlmEvent>
  readonly ending: Ending | undefined
  readonly text: string
}

const textIn = (events: ReadonlyArray<LlmEvent>): string => {
  const [part] = foldEvents(events).choices[0]?.parts ?? []
  if (part === undefined) return ""
  return part._tag === "Text" || part._tag === "Reasoning" ? part.text : part._tag === "ToolCall" ? part.arguments : ""
}

/** What a filter lets out of events that come one after the other. */
export const filtered = (
  filter: Filter,
  events: ReadonlyArray<LlmEvent>,
  context: FilterContext = testContext(),
  request: LlmRequest = prompt("model", "hello")
): Effect.Effect<Left> =>
  Effect.gen(function* () {
    const seen: Array<LlmEvent> = []
    const change = eventSide(filter, context, () => filter.events?.(request, context) ?? ((self) => self))
    const exit = yield* Effect.exit(
      Stream.fromIterable(events).pipe(
        Stream.rechunk(1),
        change,
        Stream.runForEach((event) => Effect.sync(() => void seen.push(event)))
      )
    )
    const error = Exit.isFailure(exit) ? yield* Effect.orDie(Effect.flip(exit)) : undefined
    if (error !== undefined && !isEnding(error)) return yield* Effect.die(error)
    return { events: seen, ending: error, text: textIn(seen) }
  })

/** What a filter makes of a request: another one, or a verdict. */
export const onRequest = (
  filter: Filter,
  request: LlmRequest,
  context: FilterContext = testContext()
): Effect.Effect<LlmRequest | Ending> =>
  Effect.catch(requestSide(filter, request, context), (error) =>
    isEnding(error) ? Effect.succeed(error) : Effect.die(error)
  )
