import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { Extensions, LlmRequest } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { withMarkedEnd } from "../anthropic-messages/automatic-cache.ts"
import { betas, ownExtension, thinkingWords } from "../anthropic-messages/extension.ts"
import { anthropicMessagesId } from "../anthropic-messages/wire.ts"
import { bedrockBetas, betasIn } from "../claude/betas.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { dropSettings } from "../LackingSettings.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import { bedrockConverseId } from "./wire.ts"
import { lacksThought, type ThinkingCircumstances } from "../claude/thinking.ts"
import { offeringOnly, unforced, withoutForeignChoice } from "../ToolSubset.ts"
import { blockKind, encodeMessages } from "./encode-messages.ts"
import { encodeThinking } from "./encode-thinking.ts"
import { encodeForm, encodeMetadata, encodeSampling, encodeTier } from "./encode-settings.ts"
import { encodeTools } from "./encode-tools.ts"
import { ConverseEncoding } from "./encoding.ts"
import { begunByUser } from "./first-turn.ts"
import { traitsOf } from "./models.ts"

/** Encodes a request. The model is part of the path; its id may be an ARN. */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const { model, delivery, quirks } = context
  const traits = traitsOf(model)
  const encoding = new ConverseEncoding(
    quirks.adaptiveThinking === true ? { ...traits, thinking: "effort", topEffort: "all" } : traits
  )
  const body = encodeBody(request, model, encoding)
  const streams = delivery === "stream"
  return encoding.encoded({
    path: `/model/${encodeURIComponent(model)}/${streams ? "converse-stream" : "converse"}`,
    headers: streams ? { accept: "application/vnd.amazon.eventstream" } : {},
    body
  })
}

/** What the API has no word for. */
const lacking = ["user", "seed", "frequency_penalty", "presence_penalty", "n", "logprobs", "top_logprobs"] as const

/** Where Claude's own answer, whole or streamed, says which stop sequence it was. */
const stopSequencePaths = ["/stop_sequence", "/delta/stop_sequence"]

const encodeBody = (asked: LlmRequest, model: string, encoding: ConverseEncoding): JsonObject => {
  const { traits } = encoding
  const whole = begunByUser(withMarkedEnd(asked), (message) => encoding.add("emulated", message))
  const request = unforced(
    offeringOnly(withoutForeignChoice(whole, bedrockConverseId, encoding), encoding),
    traits,
    encoding
  )
  refuseForeignInput(request.messages, bedrockConverseId, encoding)
  dropSettings(request, lacking, encoding)
  const claude = claudeWords(request, encoding)
  const { additionalModelRequestFields: ownFields, inferenceConfig: ownConfig, ...own } = encoding.own(claude.others)
  const { toolConfig, forced, instruction, modelFields: toolFields } = encodeTools(request, encoding)
  const { system, messages } = encodeMessages(request.messages, encoding)
  const thoughtless = lacksThought(messages, blockKind)
  const circumstances = { traits, forced, thoughtless, ...claude.thinking }
  const thinking = encodeThinking(request, model, circumstances, encoding)
  const { inferenceConfig, modelFields } = encodeSampling(request.sampling, thinking.thinks, encoding)
  const form = encodeForm(request.responseFormat, encoding)
  const told = [instruction, form.instruction].flatMap((text) => (text === undefined ? [] : [{ text }]))
  const asksForStop = traits.family === "claude" && "stopSequences" in inferenceConfig
  return {
    messages,
    ...filled({
      system: [...system, ...told],
      inferenceConfig: merged(inferenceConfig, ownConfig),
      additionalModelRequestFields: merged(
        { ...thinking.modelFields, ...modelFields, ...toolFields, ...claude.fields },
        ownFields
      ),
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

interface ClaudeWords {
  readonly thinking: Partial<ThinkingCircumstances>
  readonly fields: JsonObject
  /** what is left of the extensions for others */
  readonly others: Extensions | undefined
}

/** What a request says in the words of Claude's own API alone: Claude takes it here too, in the fields of that API. */
const claudeWords = ({ extensions }: LlmRequest, encoding: ConverseEncoding): ClaudeWords => {
  if (encoding.traits.family !== "claude") return { thinking: {}, fields: {}, others: extensions }
  const own = ownExtension(extensions)
  const { thinking: _, [betas]: header, ...rest } = own
  const names = typeof header === "string" ? betasIn(header, bedrockBetas, encoding) : []
  return {
    thinking: thinkingWords(own),
    fields: names.length === 0 ? {} : { anthropic_beta: names },
    others: extensions === undefined ? undefined : { ...extensions, [anthropicMessagesId]: rest }
  }
}

const merged = (fields: JsonObject, own: unknown): JsonObject => ({ ...fields, ...fieldsOf(own) })

/** The fields that hold something. */
const filled = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value ?? {}).length > 0))
