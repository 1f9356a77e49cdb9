import { Clock, Context, Duration, Effect, Exit, Option, Schema } from "effect"
import { LlmRequest } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { FailurePolicy, Filter, FilterContext } from "../Filter.ts"
import { FilterFault, garbage, tooLate } from "../FilterFault.ts"
import { headersWanted, pickHeaders } from "../headers.ts"
import { type Judge, judgeAnswers, type TextWindow, type WindowSettings } from "../judge.ts"
import { Ending, type Verdict } from "../Verdict.ts"

/** What a service that filters is asked. `request` is the canonical request, also where it is about the answer. */
export interface Question {
  readonly filter: string
  readonly phase: "request" | "answer"
  readonly call: {
    readonly id: string
    readonly requestId?: string
    readonly model: string
    readonly dialect?: string
    readonly conversation?: string
  }
  readonly headers: { readonly [name: string]: string }
  readonly request?: LlmRequest
  readonly window?: TextWindow
}

const reason = Schema.optionalKey(Schema.String)

/** What it answers: `action` says what becomes of the request, or of the window. */
export const Reply = Schema.Union([
  Schema.Struct({ action: Schema.Literal("allow") }),
  Schema.Struct({
    action: Schema.Literal("replace"),
    request: Schema.optionalKey(LlmRequest),
    text: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({
    action: Schema.Literal("refuse"),
    reason,
    status: Schema.optionalKey(Schema.Literals([400, 403])),
    message: Schema.optionalKey(Schema.String)
  }),
  Schema.Struct({ action: Schema.Literal("hand-off"), target: Schema.NonEmptyString, reason }),
  Schema.Struct({ action: Schema.Literal("stop"), reason })
])
export type Reply = typeof Reply.Type

/** A service that filters, however it is reached. */
export interface RemoteFilter {
  readonly name: string
  readonly sides: ReadonlyArray<"request" | "answer">
  readonly windows: WindowSettings
  readonly kinds?: Judge["kinds"]
  /** request headers that it may see beside the request's id and trace, lower case */
  readonly forward?: ReadonlyArray<string>
  readonly onFailure?: FailurePolicy
  readonly timeout?: Duration.Input
  /** after so many failures in a row it is not asked for so long; 5 and 10 s by default */
  readonly breaker?: { readonly failures: number; readonly openFor: Duration.Input }
}

/** The service did not answer, or with a failure of its own. */
export const unanswered = (message: string): FilterFault => new FilterFault({ kind: "error", message })

/** Asks the service. */
export type Ask = (question: Question) => Effect.Effect<Reply, FilterFault>

const always = ["x-request-id", "traceparent"]

const late = () => tooLate("it did not reply in time")

/** How many questions to services are under way: whoever governs the time of calls may wait for them. */
export const OpenQuestions = Context.Reference<{ count: number }>("millrace/filters/OpenQuestions", {
  defaultValue: () => ({ count: 0 })
})

const counted: (asked: ReturnType<Ask>) => ReturnType<Ask> = (asked) =>
  Effect.flatMap(OpenQuestions, (open) => {
    open.count++
    return Effect.ensuring(
      asked,
      Effect.sync(() => void open.count--)
    )
  })

/** Gives up waiting for a reply, and lets a question through until so many in a row went wrong; then none, for a while. */
const guarded = (ask: Ask, { breaker, timeout = "2 seconds" }: RemoteFilter): Ask => {
  const { failures, openFor } = breaker ?? { failures: 5, openFor: "10 seconds" }
  const duration = Duration.fromInputUnsafe(timeout)
  const openMillis = Duration.toMillis(Duration.fromInputUnsafe(openFor))
  let failed = 0
  let openUntil = 0
  return (question) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now < openUntil
        ? new FilterFault({ kind: "unavailable", message: "it failed too often and is left alone for now" })
        : Effect.onExit(Effect.timeoutOrElse(counted(ask(question)), { duration, orElse: late }), (exit) =>
            Effect.map(Clock.currentTimeMillis, (after) => {
              // A caller that left says nothing of the service.
              if (Exit.hasInterrupts(exit)) return
              failed = exit._tag === "Success" ? 0 : failed + 1
              if (failed >= failures) openUntil = after + openMillis
            })
          )
    )
}

/** The filter that asks a service about requests, about answers, or both. */
export const remoteFilter = (settings: RemoteFilter, unguarded: Ask): Filter => {
  const { name, sides, windows, kinds, forward = [], onFailure } = settings
  const ask = guarded(unguarded, settings)
  const wanted = headersWanted([{ name, headers: [...always, ...forward] }])
  // Every question has its own time: nothing else is to be watched.
  const policy = { timeout: 0, ...present({ onFailure }) }
  const about = (phase: Question["phase"], request: LlmRequest, context: FilterContext): Question => ({
    filter: name,
    phase,
    call: {
      id: context.callId,
      model: request.model,
      ...present({ requestId: context.requestId, dialect: context.dialect, conversation: context.conversation })
    },
    headers: {
      ...pickHeaders(context.headers, wanted),
      ...present({ "x-request-id": context.requestId })
    }
  })
  const answers = judgeAnswers({
    name,
    windows,
    ...present({ kinds }),
    ...policy,
    judge: (window, request, context) =>
      Effect.flatMap(ask({ ...about("answer", request, context), window }), (reply) =>
        Effect.map(verdictOf(reply), (verdict) => told(context, "answer", name, verdict))
      )
  })
  const onRequest: NonNullable<Filter["request"]> = (request, context) =>
    Effect.matchEffect(ask({ ...about("request", request, context), request }), {
      onFailure: (failure) => Effect.die(failure),
      onSuccess: (reply) => {
        if (reply.action === "replace" && reply.request !== undefined) {
          told(context, "request", name, { _tag: "Replace", text: "" })
          return Effect.succeed(reply.request)
        }
        if (reply.action === "replace") return Effect.die(garbage("it replaced a request by none"))
        return Effect.flatMap(Effect.orDie(verdictOf(reply)), (verdict) => {
          told(context, "request", name, verdict)
          return verdict._tag === "Pass" || verdict._tag === "Replace"
            ? Effect.succeed(request)
            : new Ending({ verdict, by: undefined })
        })
      }
    })
  return {
    ...(sides.includes("answer") ? answers : {}),
    name,
    headers: wanted,
    ...policy,
    ...(sides.includes("request") ? { request: onRequest } : {})
  }
}

/** A reply as a verdict; a replacement without a text is none. */
const verdictOf = (reply: Reply): Effect.Effect<Verdict, FilterFault> => {
  if (reply.action === "replace" && reply.text === undefined) return garbage("it replaced a text by none")
  return Effect.succeed(sayingOf(reply))
}

const sayingOf = (reply: Reply): Verdict => {
  const said = "reason" in reply ? reply.reason : undefined
  switch (reply.action) {
    case "allow":
      return { _tag: "Pass" }
    case "replace":
      return { _tag: "Replace", text: reply.text ?? "" }
    case "refuse": {
      const { status, message } = reply
      return {
        _tag: "Refuse",
        reason: said ?? "the filter gave no reason",
        ...present({ status, message })
      }
    }
    case "hand-off":
      return { _tag: "HandOff", target: reply.target, ...present({ reason: said }) }
    case "stop":
      return { _tag: "Stop", reason: said ?? "the filter gave no reason" }
  }
}

const done = { Refuse: "refused", HandOff: "handedOff", Stop: "stopped", Replace: "changed" } as const

/** Reports a verdict that is not to let pass. */
export const told = (
  context: FilterContext,
  phase: "request" | "answer",
  filter: string,
  verdict: Verdict
): Verdict => {
  if (verdict._tag === "Pass") return verdict
  const { [verdict._tag]: action } = done
  context.report({ filter, phase, category: "verdict", severity: action === "changed" ? "low" : "high", action })
  return verdict
}

const decodeReply = Schema.decodeUnknownOption(Reply)
const decodeReplyText = Schema.decodeUnknownOption(Schema.fromJsonString(Reply))

/** Reads what a service said, a value or JSON text of one. */
export const replyOf = (said: unknown): Effect.Effect<Reply, FilterFault> =>
  Option.match(typeof said === "string" ? decodeReplyText(said) : decodeReply(said), {
    onSome: Effect.succeed,
    onNone: () => garbage("it said what is no reply")
  })
