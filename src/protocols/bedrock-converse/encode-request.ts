import { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import { isObject, present, type JsonObject } from "../open-document.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { refuseForeignInput } from "../foreign-input.ts"
import { bedrockConverseId } from "./wire.ts"
import { offeringOnly, withoutForeignChoice } from "../ToolSubset.ts"
import { encodeMessages } from "./encode-messages.ts"
import { ConverseEncoding } from "./encode-parts.ts"
import { encodeForm, encodeMetadata, encodeSampling, encodeTier } from "./encode-settings.ts"
import { encodeThinking } from "./encode-thinking.ts"
import { encodeTools } from "./encode-tools.ts"
import { traitsOf } from "./models.ts"

/** Encodes a request. The model is part of the path; its id may be an ARN. */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const { model, delivery, quirks } = context
  const encoding = new ConverseEncoding(traitsOf(model))
  const body = encodeBody(request, quirks.adaptiveThinking === true, encoding)
  if (encoding.failure !== undefined) return Result.fail(encoding.failure)
  const streams = delivery === "stream"
  return Result.succeed({
    path: `/model/${encodeURIComponent(model)}/${streams ? "converse-stream" : "converse"}`,
    headers: streams ? { accept: "application/vnd.amazon.eventstream" } : {},
    body,
    notices: encoding.list
  })
}

/** Where Claude's own answer, whole or streamed, says which stop sequence it was. */
const stopSequencePaths = ["/stop_sequence", "/delta/stop_sequence"]

const encodeBody = (request: LlmRequest, adaptive: boolean, encoding: ConverseEncoding): JsonObject => {
  refuseForeignInput(request.messages, bedrockConverseId, encoding)
  if (request.user !== undefined) encoding.dropped("user")
  const {
    additionalModelRequestFields: ownFields,
    inferenceConfig: ownConfig,
    ...own
  } = encoding.own(request.extensions)
  const { toolConfig, forced, instruction } = encodeTools(
    offeringOnly(withoutForeignChoice(request, bedrockConverseId, encoding), encoding),
    encoding
  )
  const thinking = encodeThinking(request, adaptive, forced, encoding)
  const { inferenceConfig, modelFields } = encodeSampling(request.sampling, thinking.thinks, encoding)
  const form = encodeForm(request.responseFormat, encoding)
  const { system, messages } = encodeMessages(request.messages, encoding)
  const told = [instruction, form.instruction].flatMap((text) => (text === undefined ? [] : [{ text }]))
  const asksForStop = encoding.traits.family === "claude" && "stopSequences" in inferenceConfig
  return {
    messages,
    ...filled({
      system: [...system, ...told],
      inferenceConfig: merged(inferenceConfig, ownConfig),
      additionalModelRequestFields: merged({ ...thinking.fields, ...modelFields }, ownFields),
      additionalModelResponseFieldPaths: asksForStop ? stopSequencePaths : []
    }),
    ...present({
      toolConfig,
      outputConfig: form.outputConfig,
      serviceTier: encodeTier(request.serviceTier, encoding),
      requestMetadata: encodeMetadata(request.metadata, encoding)
    }),
    ...own
  }
}

const merged = (fields: JsonObject, own: unknown): JsonObject => ({ ...fields, ...(isObject(own) ? own : {}) })

/** The fields that hold something. */
const filled = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value ?? {}).length > 0))
