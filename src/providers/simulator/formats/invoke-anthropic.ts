import { Result } from "effect"
import { failure } from "../../../domain/LlmError.ts"
import { anthropicMessagesDialect } from "../../../protocols/anthropic-messages/inbound.ts"
import { fieldsOf } from "../../../protocols/open-document.ts"
import { awsEvent } from "../../../wire/AwsMessage.ts"
import type { WireFrame } from "../../../wire/Frame.ts"
import { makeSseDecoder } from "../../../wire/Sse.ts"
import type { SimulatedDialect } from "../SimulatedDialect.ts"
import { awsFailure, renderAwsError } from "./aws-errors.ts"

const decode: SimulatedDialect["decode"] = (document, path = { model: "", delivery: "whole" }) => {
  const { anthropic_version: version, anthropic_beta: _, ...body } = fieldsOf(document)
  if (typeof version === "string") {
    return anthropicMessagesDialect.decode({ ...body, model: path.model, stream: path.delivery === "stream" })
  }
  const reason = { _tag: "InvalidRequest", kind: "type", path: "anthropic_version" } as const
  return Result.fail(failure(reason, "anthropic_version: Field required"))
}

/** The events of the Messages API without their frames, each in an envelope of its own. */
const enveloped = (text: string): Buffer => {
  const frames: Array<WireFrame> = []
  makeSseDecoder().feed(Buffer.from(text), frames)
  return Buffer.concat(frames.map(({ data }) => awsEvent("chunk", { bytes: Buffer.from(data).toString("base64") })))
}

/**
 * Claude on Amazon Bedrock by InvokeModel: the Messages API in the frames and with the failures of AWS. What it thought it
 * signs as Claude does everywhere.
 */
export const simulatedInvokeAnthropic: SimulatedDialect = {
  ...anthropicMessagesDialect,
  decode,
  renderer: (context) => {
    const messages = anthropicMessagesDialect.renderer(context)
    return {
      event: (event) => enveloped(messages.event(event)),
      end: () => enveloped(messages.end()),
      failure: awsFailure
    }
  },
  renderError: renderAwsError,
  contentType: "application/vnd.amazon.eventstream"
}
