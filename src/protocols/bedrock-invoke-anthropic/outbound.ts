import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { makeAwsEventStreamDecoder } from "../../wire/AwsEventStream.ts"
import type { WireFrame } from "../../wire/Frame.ts"
import { sseFrame } from "../../wire/Sse.ts"
import { anthropicMessages } from "../anthropic-messages/outbound.ts"
import { awsStreamError, awsWholeError, decodeAwsError, isAwsException } from "../AwsError.ts"
import { isObject, parseJson } from "../open-document.ts"
import { claudeContinues } from "../claude.ts"
import type { Protocol, StreamDecoder } from "../Protocol.ts"
import { malformedFrame } from "../stream-failures.ts"
import { encodeRequest } from "./encode-request.ts"
import { bedrockInvokeAnthropicId } from "./wire.ts"

/** Takes the events of the Messages API out of their frames, where they stand in base64, and has them decoded there. */
class EnvelopeDecoder implements StreamDecoder {
  private readonly messages = anthropicMessages.decoder()

  step(frame: WireFrame, events: Array<LlmEvent>): LlmError | undefined {
    if (isAwsException(frame)) return awsStreamError(frame, bedrockInvokeAnthropicId)
    // What is yet to be invented.
    if (frame.event !== "chunk") return undefined
    const envelope = parseJson(frame.data)
    const bytes = isObject(envelope) ? envelope["bytes"] : undefined
    if (typeof bytes !== "string") return malformedFrame
    const data = Buffer.from(bytes, "base64").toString("utf8")
    return inOwnWords(this.messages.step({ raw: data, event: "", data }, events))
  }

  halt(events: Array<LlmEvent>): LlmError | undefined {
    return this.messages.halt(events)
  }
}

/** A failure that Claude itself told goes to a caller of the Messages API as the frame that it would have been there. */
const inOwnWords = (error: LlmError | undefined): LlmError | undefined => {
  const { raw, protocol } = error?.fault ?? {}
  if (error === undefined || raw === undefined || protocol !== anthropicMessages.id) return error
  const { reason, message, retryAfterMs, fault } = error
  return failure(reason, message, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    fault: { ...fault, raw: sseFrame(raw, "error") }
  })
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
  encode: encodeRequest,
  continues: claudeContinues,
  frames: makeAwsEventStreamDecoder,
  decoder: () => new EnvelopeDecoder(),
  decodeWhole: (body, events) => {
    const answer = isObject(body) && Array.isArray(body["content"])
    return answer || (isObject(body) && isObject(body["error"]))
      ? anthropicMessages.decodeWhole(body, events)
      : (awsWholeError(body, bedrockInvokeAnthropicId) ?? malformedFrame)
  },
  decodeError: decodeAwsError(bedrockInvokeAnthropicId)
}
