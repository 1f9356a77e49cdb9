import { Result } from "effect"
import type { Notice, Origin } from "../../src/domain/Call.ts"
import type { LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import { unmetRequirement } from "../../src/domain/requirements.ts"
import type { Dialect, RenderContext } from "../../src/protocols/Dialect.ts"
import type { JsonObject } from "../../src/protocols/open-document.ts"
import type { EncodedRequest, Protocol } from "../../src/protocols/Protocol.ts"

/**
 * What becomes of a feature on its way from one format to another. `silent` is the one that must never be: neither was it
 * carried nor did anybody say so.
 */
export type Fate = "native" | "emulated" | "dropped" | "refused" | "silent"

/** The fate of a feature, and what was said of it. */
export interface Verdict {
  readonly fate: Fate
  readonly messages: ReadonlyArray<string>
}

/** A request of a dialect with and without a feature. */
export interface RequestProbe {
  readonly base: JsonObject
  readonly body: JsonObject
  /** what the feature leaves in the target's request; where that is not said, the request has to be another one */
  readonly trace?: RegExp
  /** whether the feature asks for something not to happen, so that it is met where nothing has to be said */
  readonly absence?: boolean
  /** what was already said to the caller when it got what it sends back in this request */
  readonly before?: ReadonlyArray<Notice>
}

const messageOf = ({ message }: Notice): string => message

const judge = (before: ReadonlyArray<Notice>, after: ReadonlyArray<Notice>, arrived: boolean): Verdict => {
  const known = new Set(before.map(messageOf))
  const news = after.filter(({ message }) => !known.has(message))
  const messages = news.map(messageOf)
  if (news.some(({ code }) => code === "dropped")) return { fate: "dropped", messages }
  // What is said in other words and what is said in the nearest value is the same to who asks what arrives.
  if (news.length > 0) return { fate: "emulated", messages }
  return { fate: arrived ? "native" : "silent", messages }
}

type Encoded = Result.Result<Omit<EncodedRequest, "path">, LlmError>

const encoded = (dialect: Dialect, protocol: Protocol, model: string, body: JsonObject): Encoded =>
  Result.flatMap(dialect.decode(body, { model: "smart", delivery: "whole" }), ({ request, delivery }): Encoded => {
    const unmet = unmetRequirement(request, protocol.id)
    if (unmet !== undefined) return Result.fail(unmet)
    const origin: Origin = { protocol: dialect.id, body, text: JSON.stringify(body), headers: {} }
    const own = dialect.id === protocol.id ? origin : undefined
    return protocol.encode(request, { model, delivery, quirks: {}, origin: own })
  })

/** What becomes of a feature of a request: the request with it is held against the one without it. */
export const judgeRequest = (dialect: Dialect, protocol: Protocol, model: string, probe: RequestProbe): Verdict => {
  const without = Result.getOrThrow(encoded(dialect, protocol, model, probe.base))
  const withIt = encoded(dialect, protocol, model, probe.body)
  if (Result.isFailure(withIt)) return { fate: "refused", messages: [withIt.failure.message] }
  const sent = ({ body, headers }: Omit<EncodedRequest, "path">) => JSON.stringify({ body, headers })
  const text = sent(withIt.success)
  const arrived = probe.absence === true || (probe.trace?.test(text) ?? text !== sent(without))
  return judge(without.notices, [...(probe.before ?? []), ...withIt.success.notices], arrived)
}

/** What a stream and a whole answer of these events come to in a dialect. */
const rendered = (dialect: Dialect, context: RenderContext, events: ReadonlyArray<LlmEvent>) => {
  const renderer = dialect.renderer(context)
  const stream = events.map((event) => renderer.event(event)).join("") + renderer.end()
  const notices: Array<Notice> = []
  const whole = JSON.stringify(dialect.renderWhole(foldEvents(events), context, notices))
  return { stream: { text: stream, notices: renderer.notices }, whole: { text: whole, notices } }
}

/** A failure has its word in every format: its error. */
const toldAsError: Verdict = { fate: "native", messages: [] }

/** What becomes of a feature of an answer: first in a stream, then whole. */
export const judgeAnswer = (
  dialect: Dialect,
  context: RenderContext,
  base: ReadonlyArray<LlmEvent>,
  events: ReadonlyArray<LlmEvent>,
  trace: RegExp
): readonly [stream: Verdict, whole: Verdict] => {
  const last = events.at(-1)
  if (last?._tag === "Finish" && dialect.failsOn?.(last) !== undefined) return [toldAsError, toldAsError]
  const [without, withIt] = [rendered(dialect, context, base), rendered(dialect, context, events)]
  const verdict = (delivery: "stream" | "whole") =>
    judge(without[delivery].notices, withIt[delivery].notices, trace.test(withIt[delivery].text))
  return [verdict("stream"), verdict("whole")]
}
