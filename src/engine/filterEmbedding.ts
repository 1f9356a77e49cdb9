import { Effect, type Scope } from "effect"
import type { EmbeddingRequest } from "../domain/Embedding.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { filterFailed } from "../filters/FilterFault.ts"
import type { Ending } from "../filters/Verdict.ts"
import type { RoutePlan } from "../routing/Router.ts"
import type { EmbeddingCall } from "./embed.ts"
import type { Engine } from "./Engine.ts"
import { Unanswered } from "./Unanswered.ts"

/** Under which name a conversation that stands for a request for vectors has what only single providers know. */
const further = "embeddings"

/** A request for vectors as filters see it: every text is what a user says. */
const conversationOf = ({ input, model, rest, user }: EmbeddingRequest): LlmRequest => ({
  model,
  messages:
    input._tag === "Tokens" ? [] : input.texts.map((text) => ({ role: "user", parts: [{ _tag: "Text", text }] })),
  sampling: {},
  ...(user === undefined ? {} : { user }),
  ...(Object.keys(rest).length === 0 ? {} : { extensions: { [further]: rest } })
})

const said = ({ messages }: LlmRequest): ReadonlyArray<string> =>
  messages.flatMap(({ parts, role }) =>
    role === "user" ? [parts.map((part) => (part._tag === "Text" ? part.text : "")).join("")] : []
  )

/** The request for vectors that a filtered conversation stands for. */
const requestOf = (before: EmbeddingRequest, filtered: LlmRequest): EmbeddingRequest => {
  const { dimensions, encoding, input } = before
  const { extensions, headers, model, user } = filtered
  return {
    model,
    encoding,
    input: input._tag === "Texts" ? { ...input, texts: said(filtered) } : input,
    rest: extensions?.[further] ?? {},
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(user === undefined ? {} : { user }),
    ...(headers === undefined ? {} : { headers })
  }
}

/** The call with the request as its filters left it, so far. What the caller wrote is then nobody's business any more. */
export const asItWent = (call: EmbeddingCall, { call: { request }, request: left }: Unanswered): EmbeddingCall => {
  if (left === request) return call
  const { origin: _, ...rest } = call
  return { ...rest, request: requestOf(call.request, left) }
}

const unreadable = failure(
  { _tag: "InvalidRequest", kind: "semantic", path: "input" },
  "The filters of this model read texts, and what they cannot read does not pass: send texts in the place of tokens"
)

/** Passes a request for vectors through the request side of its filters, and says where it goes by now. */
export const filterEmbedding = Effect.fnUntraced(function* (
  { passFilters }: Engine["Service"],
  notes: Unanswered,
  { input }: EmbeddingRequest,
  plan: RoutePlan
): Effect.fn.Return<RoutePlan, LlmError | Ending, Scope.Scope> {
  const filtered = yield* passFilters(notes, plan, input._tag === "Tokens" ? unreadable : undefined)
  if (input._tag === "Texts" && said(filtered.request).length !== input.texts.length) {
    return yield* filterFailed(filtered.filters.at(-1)?.name ?? "")
  }
  return filtered.plan
})

/** What a call for vectors is to its filters. */
export const unansweredOf = (id: string, call: EmbeddingCall): Unanswered =>
  new Unanswered(id, { ...call, request: conversationOf(call.request), delivery: "whole" }, "vectors")
