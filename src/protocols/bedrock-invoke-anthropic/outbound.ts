import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { makeAwsEventStreamDecoder } from "../../wire/AwsEventStream.ts"
import type { FrameDecoder, FramingError, WireFrame } from "../../wire/Frame.ts"
import { sseFrame } from "../../wire/Sse.ts"
import { anthropicMessages } from "../anthropic-messages/outbound.ts"
import { awsStreamError, awsWholeError, decodeAwsError, isAwsException } from "../AwsError.ts"
import { fieldsOf, isObject, parseJson } from "../open-document.ts"
import { claudeContinues } from "../claude/traits.ts"
import type { Protocol, StreamDecoder } from "../Protocol.ts"
import { malformedFrame } from "../stream-failures.ts"
import { countTokens } from "./count-tokens.ts"
import { plainNames } from "../ToolNames.ts"
import { encodeRequest } from "./encode-request.ts"
import { bedrockInvokeAnthropicId } from "./wire.ts"

/**
 * Takes the events of the Messages API out of their frames, where they stand in base64. They are given as the frames that
 * they would have been there, so that a caller of that API gets all that they say.
 */
class EnvelopeDecoder implements FrameDecoder {
  private readonly envelopes = makeAwsEventStreamDecoder()
  private readonly wrapped: Array<WireFrame> = []

  get invalidSequences(): number {
    return this.envelopes.invalidSequences
  }

  feed(bytes: Uint8Array, out: Array<WireFrame>): FramingError | undefined {
    const error = this.envelopes.feed(bytes, this.wrapped)
    for (const frame of this.wrapped) {
      if (frame.event === "chunk") out.push(...unwrapped(frame))
      // What is neither is yet to be invented.
      else if (isAwsException(frame)) out.push(frame)
    }
    this.wrapped.length = 0
    return error
  }

  end(out: Array<WireFrame>): FramingError | undefined {
    return this.envelopes.end(out)
  }
}

/**
 * The event in an envelope; the envelope itself, which is no event, where there is none in it. A document that says neither
 * what it is nor what went wrong is a sign of life of something on the way, and nothing.
 */
const unwrapped = (frame: WireFrame): ReadonlyArray<WireFrame> => {
  const envelope = parseJson(frame.data)
  const bytes = fieldsOf(envelope)["bytes"]
  if (typeof bytes !== "string") return [frame]
  const data = Buffer.from(bytes, "base64").toString("utf8")
  const event = parseJson(data)
  if (isObject(event) && event["type"] === undefined && event["error"] === undefined) return []
  const named = fieldsOf(event)["type"]
  const type = typeof named === "string" && /^\w+$/.test(named) ? named : ""
  return [{ raw: sseFrame(data, type), event: type, data }]
}

/** Decodes what was in the envelopes as the Messages API does, and the failures of AWS between them. */
class UnwrappedDecoder implements StreamDecoder {
  private readonly messages = anthropicMessages.decoder()

  get isLate(): boolean {
    return this.messages.isLate === true
  }

  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined {
    return isAwsException(frame) ? awsStreamError(frame, bedrockInvokeAnthropicId) : this.messages.step(frame, events)
  }

  halt(events: Array<LlmEvent>): LlmError | undefined {
    return this.messages.halt(events)
  }
}

/**
 * Claude on Amazon Bedrock by InvokeModel: the Messages API, its requests with a version in the body, its events in the frames
 * of an AWS event stream. Failures are those of AWS.
 *
 * What only it knows is taken from `extensions["bedrock-invoke-anthropic"]` of the request and put into the body:
 * `anthropic_beta`, a list, and whatever else Claude knows.
 */
export const bedrockInvokeAnthropic: Protocol = {
  id: bedrockInvokeAnthropicId,
  speaks: anthropicMessages.id,
  encode: encodeRequest,
  toolNames: plainNames(128),
  continues: claudeContinues,
  frames: () => new EnvelopeDecoder(),
  decoder: () => new UnwrappedDecoder(),
  decodeWhole: (body, events) => {
    const answer = isObject(body) && Array.isArray(body["content"])
    return answer || (isObject(body) && isObject(body["error"]))
      ? anthropicMessages.decodeWhole(body, events)
      : (awsWholeError(body, bedrockInvokeAnthropicId) ?? malformedFrame)
  },
  countTokens,
  decodeError: decodeAwsError(bedrockInvokeAnthropicId)
}
