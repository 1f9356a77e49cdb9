import { Effect, Result } from "effect"
import type { EmbeddingAnswer, EmbeddingInput } from "../domain/Embedding.ts"
import { parseExactly } from "../domain/exact-json.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"
import type { Usage } from "../domain/Usage.ts"
import { isObject } from "../protocols/open-document.ts"
import type { EncodedRequest, Protocol, Quirks } from "../protocols/Protocol.ts"
import { renamed } from "../protocols/ToolNames.ts"
import type { AttemptObserver, CountRequest, EmbedRequest, Upstream } from "../routing/Upstream.ts"
import { unsendable } from "./misleading.ts"
import { withHeaders } from "./withHeaders.ts"

/** Asks a provider something, by `GET` where there is no body, and reads the text of its answer, at most `limit` bytes. */
export type Ask = (
  protocol: Protocol,
  encoded: Pick<EncodedRequest, "path" | "headers"> & { readonly body?: EncodedRequest["body"] },
  limit: number,
  observer?: Pick<AttemptObserver, "connected" | "head">
) => Effect.Effect<string, LlmError>

type Questions = Omit<Upstream["Service"], "stream">
type Asked = { readonly protocols: ReadonlyArray<Protocol>; readonly quirks: Quirks; readonly route?: unknown }
type Named = (error: LlmError) => LlmError

const mebibyte = 1024 * 1024

/** What a provider can be asked beside answering: each where one of its protocols has words for it. */
export const questionsTo = (deployment: Asked, ask: Ask, named: Named): Questions => {
  const { protocols } = deployment
  const counting = protocols.find(({ countTokens }) => countTokens !== undefined)
  const embedding = protocols.find(({ embed }) => embed !== undefined)
  // What a cloud lists are the models that could be had there, not those that are deployed under a name.
  const ofCloud = deployment.route !== undefined
  const listing = ofCloud ? undefined : protocols.find(({ listModels }) => listModels !== undefined)
  return {
    ...(counting === undefined
      ? {}
      : { countTokens: about((request) => countTokens(counting, deployment, ask, request), named) }),
    ...(embedding === undefined
      ? {}
      : { embed: about((request) => embed(embedding, deployment, ask, request), named) }),
    ...(listing === undefined ? {} : { listModels: Effect.mapError(listModels(listing, ask), named) })
  }
}

/** A question about a model, which needs to have a name that can be sent. */
const about =
  <Q extends { readonly model: string }, A>(ask: (question: Q) => Effect.Effect<A, LlmError>, named: Named) =>
  (question: Q): Effect.Effect<A, LlmError> =>
    Effect.mapError(unsendable(question.model) ?? ask(question), named)

const unsaid = (what: string): LlmError =>
  failure({ _tag: "InvalidOutput", kind: "malformedFrame" }, `The provider did not say ${what}`)

/** JSON as a provider sent it. */
export const parseJson = (text: string): Result.Result<unknown, LlmError> =>
  Result.try({
    try: () => parseExactly(text),
    catch: () => failure({ _tag: "InvalidOutput", kind: "malformedFrame" }, "The provider's answer is not JSON")
  })

const countingTimedOut = failure({ _tag: "Timeout", phase: "total" }, "The provider did not count in time")

const countTokens = (
  protocol: Protocol,
  { quirks }: Asked,
  ask: Ask,
  { request, model, origin: received }: CountRequest
): Effect.Effect<number, LlmError> =>
  Effect.gen(function* () {
    const { encode, read } = protocol.countTokens!
    const origin = received?.protocol === protocol.id ? received : undefined
    const asked = origin === undefined ? (renamed(request, protocol)?.request ?? request) : request
    const encoded = yield* Effect.fromResult(encode(asked, { model, delivery: "whole", quirks, origin }))
    const body = yield* Effect.fromResult(parseJson(yield* ask(protocol, encoded, mebibyte)))
    return read(body) ?? (yield* unsaid("the number of tokens"))
  }).pipe(
    Effect.mapError((error) => (protocol.countTokens?.partial === true && isRefusal(error) ? uncounted : error)),
    Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => countingTimedOut })
  )

const uncounted = failure(
  { _tag: "Unsupported", feature: "counting tokens" },
  "The provider does not count for this model"
)

/** Whether a failure is none of the key or of the moment. */
const isRefusal = (error: LlmError): boolean =>
  error.reason._tag !== "Unauthorized" && (error.class === "target-permanent" || error.class === "request-permanent")

const listModels = (protocol: Protocol, ask: Ask): Effect.Effect<ReadonlyArray<string>, LlmError> =>
  Effect.gen(function* () {
    const { path, headers = {}, read } = protocol.listModels!
    const body = yield* Effect.fromResult(parseJson(yield* ask(protocol, { path, headers }, 16 * mebibyte)))
    return read(body) ?? (yield* unsaid("which models it has"))
  })

const maxVectors = 64 * mebibyte
const concurrentParts = 4

const embed = (
  protocol: Protocol,
  deployment: Asked,
  ask: Ask,
  asked: EmbedRequest
): Effect.Effect<EmbeddingAnswer, LlmError> => {
  const { model, request } = asked
  const { quirks } = deployment
  const parts = partsOf(request.input, protocol.embed!.most?.({ model, quirks }))
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return embedPart(protocol, deployment, ask, asked, only)
  return Effect.map(
    // What the caller wrote is one document: its parts are written anew.
    Effect.forEach(parts, (part) => embedPart(protocol, deployment, ask, { ...asked, origin: undefined }, part), {
      concurrency: concurrentParts
    }),
    ([first, ...others]) => others.reduce(joined, withoutOrigin(first ?? nothing(model)))
  )
}

const embedPart = (
  protocol: Protocol,
  { quirks }: Asked,
  ask: Ask,
  { request, model, origin, observer }: EmbedRequest,
  input: EmbeddingInput
): Effect.Effect<EmbeddingAnswer, LlmError> =>
  Effect.gen(function* () {
    const { encode, read, format } = protocol.embed!
    const encoded = yield* Effect.fromResult(encode({ ...request, input }, { model, quirks, origin }))
    const sent = request.headers === undefined ? encoded : withHeaders(encoded, request.headers)
    const text = yield* ask(protocol, sent, maxVectors, observer)
    const body = yield* Effect.fromResult(parseJson(text))
    const answer = read(body)
    if (answer?.vectors.length !== sizeOf(input)) {
      return yield* declinedIn(protocol, body) ?? unsaid("one vector for every input")
    }
    return {
      model,
      ...answer,
      notices: encoded.notices,
      ...(format === undefined ? {} : { origin: { protocol: format, text } })
    }
  })

/** The failure that a document tells in place of an answer: some servers give such ones the status of a success. */
const declinedIn = (protocol: Protocol, body: unknown): LlmError | undefined =>
  isObject(body) && isObject(body["error"]) ? protocol.decodeWhole(body, []) : undefined

const sizeOf = (input: EmbeddingInput): number => (input._tag === "Texts" ? input.texts.length : input.sequences.length)

const partsOf = (input: EmbeddingInput, most: number | undefined): ReadonlyArray<EmbeddingInput> => {
  const size = sizeOf(input)
  if (most === undefined || size <= most) return [input]
  return Array.from({ length: Math.ceil(size / most) }, (_, part) => {
    const [from, to] = [part * most, (part + 1) * most]
    return input._tag === "Texts"
      ? { ...input, texts: input.texts.slice(from, to) }
      : { ...input, sequences: input.sequences.slice(from, to) }
  })
}

const nothing = (model: string): EmbeddingAnswer => ({ model, vectors: [], usage: { source: "none" }, notices: [] })

/** The document of a part is not that of the whole. */
const withoutOrigin = (part: EmbeddingAnswer): EmbeddingAnswer => {
  const { origin: _, ...answer } = part
  return answer
}

/** Two parts of an answer as one; what is not known of a part is not known of the whole. */
const joined = (left: EmbeddingAnswer, right: EmbeddingAnswer): EmbeddingAnswer => {
  const [one, other] = [left.usage.inputTokens, right.usage.inputTokens]
  const usage: Usage =
    one === undefined || other === undefined ? { source: "none" } : { inputTokens: one + other, source: "provider" }
  return { ...left, vectors: [...left.vectors, ...right.vectors], usage }
}
