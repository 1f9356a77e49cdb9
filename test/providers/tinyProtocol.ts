import { Result, Schema } from "effect"
import { failure, LlmError } from "../../src/domain/LlmError.ts"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import { httpReason, rateLimitHeaders, retryHint } from "../../src/protocols/HttpError.ts"
import type { Protocol, StreamDecoder } from "../../src/protocols/Protocol.ts"
import { makeSseDecoder } from "../../src/wire/Sse.ts"

/** An answer or a piece of one: `{"text":"…"}`, `{"error":"…"}`, the last one with `"stop":true`. */
const Answer = Schema.Struct({
  text: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(Schema.String),
  stop: Schema.optionalKey(Schema.Boolean)
})
const decodeAnswer = Schema.decodeUnknownResult(Answer)
const decodeCount = Schema.decodeUnknownResult(Schema.Struct({ tokens: Schema.Natural }))

const malformed = failure({ _tag: "InvalidOutput", kind: "malformedFrame" }, "not an answer")

const read = (body: unknown, events: Array<LlmEvent>): LlmError | undefined => {
  const answer = decodeAnswer(body)
  if (Result.isFailure(answer)) return malformed
  const { text, error, stop } = answer.success
  if (text !== undefined) events.push({ _tag: "TextDelta", id: "text", text })
  if (error !== undefined) return failure({ _tag: "UpstreamServer" }, error)
  if (stop === true) events.push({ _tag: "Finish", reason: "stop", usage: { source: "none" } })
  return undefined
}

const parse = (data: string): unknown => {
  const parsed = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))(data)
  return Result.isSuccess(parsed) ? parsed.success : undefined
}

class TinyDecoder implements StreamDecoder {
  private finished = false

  step({ data }: { readonly data: string }, events: Array<LlmEvent>): LlmError | undefined {
    if (data === "ping" || data === "over") return undefined
    const error = read(parse(data), events)
    this.finished ||= events.at(-1)?._tag === "Finish"
    return error
  }

  halt(events: Array<LlmEvent>): LlmError | undefined {
    if (this.finished) return undefined
    events.push({ _tag: "TextEnd", id: "text" })
    return failure({ _tag: "IncompleteStream", kind: "noStop" }, "no stop")
  }
}

/** A wire format as small as can be, which shows in its requests what it was given. */
export const tinyProtocol = (id: string, more: Partial<Protocol> = {}): Protocol => ({
  id,
  encode: (request, { model, delivery, origin, quirks }) =>
    request.model === "impossible"
      ? Result.fail(failure({ _tag: "Unsupported", feature: "everything" }, "cannot be said"))
      : Result.succeed({
          path: `/${id}/${delivery}`,
          headers: { "x-protocol": id },
          body: { model, origin: origin?.body ?? null, quirks: { ...quirks } },
          notices: [{ code: "dropped", message: `${id} cannot say it` }]
        }),
  frames: () => makeSseDecoder({ maxFrameBytes: 64 * 1024 }),
  decoder: () => new TinyDecoder(),
  decodeWhole: read,
  decodeError: ({ status, headers, body }) => {
    const retryAfterMs = retryHint(headers)
    const limits = rateLimitHeaders(headers)
    return new LlmError({
      reason: httpReason(status),
      message: body === "" ? `status ${status}` : body,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      fault: { status, protocol: id, raw: body, ...(limits === undefined ? {} : { headers: limits }) }
    })
  },
  ...more
})

/** Counts tokens at a path of its own. */
export const countsTokens: Required<Pick<Protocol, "countTokens">> = {
  countTokens: {
    encode: (_, { model }) => Result.succeed({ path: "/count", headers: {}, body: { model }, notices: [] }),
    read: (body) => {
      const counted = decodeCount(body)
      return Result.isSuccess(counted) ? counted.success.tokens : undefined
    }
  }
}
