import { Effect, type Scope } from "effect"
import type { EmbeddingRequest } from "../domain/Embedding.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import { filterFailed } from "../filters/supervise.ts"
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

/** The request for vectors that a filtered conversation stands for, or undefined where it is no such thing any more. */
const requestOf = (before: EmbeddingRequest, filtered: LlmRequest): EmbeddingRequest | undefined => {
  const { dimensions, encoding, input } = before
  const texts = said(filtered)
  if (input._tag === "Texts" && texts.length !== input.texts.length) return undefined
  const { extensions, headers, model, user } = filtered
  return {
    model,
    encoding,
    input: input._tag === "Texts" ? { ...input, texts } : input,
    rest: extensions?.[further] ?? {},
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(user === undefined ? {} : { user }),
    ...(headers === undefined ? {} : { headers })
  }
}

/** What became of a request for vectors on its way through the filters, and where it goes by now. */
export interface FilteredEmbedding {
  readonly request: EmbeddingRequest
  readonly plan: RoutePlan
}

const unreadable = failure(
  { _tag: "InvalidRequest", kind: "semantic", path: "input" },
  "The filters of this model read texts, and what they cannot read does not pass: send texts in the place of tokens"
)

/** Passes a request for vectors through the request side of its filters; the same object comes back where nothing changed. */
export const filterEmbedding = Effect.fnUntraced(function* (
  { passFilters }: Engine["Service"],
  notes: Unanswered,
  request: EmbeddingRequest,
  plan: RoutePlan
): Effect.fn.Return<FilteredEmbedding, LlmError | Ending, Scope.Scope> {
  const filtered = yield* passFilters(notes, plan, request.input._tag === "Tokens" ? unreadable : undefined)
  if (filtered.request === notes.call.request) return { request, plan: filtered.plan }
  const changed = requestOf(request, filtered.request)
  if (changed === undefined) return yield* filterFailed(filtered.filters.at(-1)?.name ?? "")
  return { request: changed, plan: filtered.plan }
})

/** What a call for vectors is to its filters. */
export const unansweredOf = (id: string, call: EmbeddingCall): Unanswered =>
  new Unanswered(id, { ...call, request: conversationOf(call.request), delivery: "whole" }, "vectors")
