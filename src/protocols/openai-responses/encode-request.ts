import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest, Message, Tool } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { dropSettings } from "../LackingSettings.ts"
import { fieldsOf, unlessEmpty, type JsonObject } from "../open-document.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { endUser, tierFor } from "../openai/account.ts"
import { drawnBy, isReasoner } from "../openai/reasoners.ts"
import { encodeItems } from "./encode-items.ts"
import { encodeFormat, encodeReasoning, encodeSampling, lacking } from "./encode-settings.ts"
import { encodeTool, encodeToolChoice } from "./encode-tools.ts"
import { ResponsesEncoding } from "./encoding.ts"
import { foundInInput, ownExtension, storedByDefault } from "./extension.ts"
import { withSiblingFields } from "../openai/sibling-fields.ts"
import { inNamespaces } from "./namespaces.ts"
import { openAiResponsesId } from "./wire.ts"
import { takeableInput } from "./written-items.ts"

const path = "/responses"

/** Encodes a request: as it came where it came in this format and nobody changed it, else from the canonical one. */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const { origin, model, delivery, quirks } = context
  const encoding = new ResponsesEncoding(model)
  if (origin !== undefined) {
    const stream = delivery === "stream" ? { stream: true } : "stream" in origin.body ? { stream: false } : {}
    const body = {
      ...origin.body,
      model,
      ...stream,
      ...(quirks.takesSeals === true ? {} : takeableInput(origin.body, encoding))
    }
    return encoding.encoded({ path, headers: origin.headers, body })
  }
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path, headers: {}, body })
}

const encodeBody = (
  request: LlmRequest,
  { model, delivery, quirks }: EncodeContext,
  encoding: ResponsesEncoding
): JsonObject => {
  refuseForeignInput(request.messages, openAiResponsesId, encoding)
  const extensions = withSiblingFields(request.extensions, openAiResponsesId)
  const {
    text,
    reasoning,
    tool_choice: choice,
    include,
    stream_options: options,
    [storedByDefault]: stored,
    ...own
  } = encoding.own(extensions)
  const { instructions, messages } = withoutInstructions(request.messages)
  const { tools: callable = [] } = request
  const declared = callable.filter((tool) => !isFound(tool))
  const tools = inNamespaces(declared, (tool) => encodeTool(tool, encoding))
  const form = { ...fieldsOf(text), ...present({ format: encodeFormat(request.responseFormat) }) }
  const thought = {
    ...fieldsOf(reasoning),
    ...encodeReasoning(request.reasoning ?? {}, model, encoding)
  }
  const input = encodeItems(messages, quirks, encoding)
  dropSettings(request, lacking, encoding)
  return {
    model,
    ...present({ instructions }),
    input,
    ...(delivery === "stream" ? { stream: true, ...present({ stream_options: options }) } : {}),
    // Callers of other APIs send the whole conversation: nothing has to be kept for them elsewhere.
    ...(stored === true ? {} : { store: false }),
    ...encodeSampling(drawnBy(model, thought.effort, request.sampling, encoding), encoding),
    ...(tools.length === 0 && declared.length === callable.length
      ? {}
      : present({
          tools: unlessEmpty(tools),
          tool_choice: choice ?? encodeToolChoice(request),
          parallel_tool_calls: request.parallelToolCalls
        })),
    ...present({ text: unlessEmpty(form), reasoning: unlessEmpty(thought) }),
    ...encodeIncludes(include, request, model, input),
    ...present({
      metadata: request.metadata,
      service_tier: tierFor(request.serviceTier),
      user: endUser(request.user, encoding)
    }),
    ...own
  }
}

const isFound = (tool: Tool): boolean =>
  tool._tag === "Function" && ownExtension(tool.extensions)[foundInInput] === true

interface Instructed {
  readonly instructions: string | undefined
  readonly messages: ReadonlyArray<Message>
}

/** The instructions at the head of the conversation have a field of their own, which every server of this format knows. */
const withoutInstructions = (messages: ReadonlyArray<Message>): Instructed => {
  const [first, ...others] = messages
  const plain = first?.parts.every((part) => part._tag === "Text" && !part.extensions && !part.cache) === true
  if (first?.role !== "system" || !plain || first.extensions !== undefined || first.name !== undefined) {
    return { instructions: undefined, messages }
  }
  const text = first.parts.map((part) => (part._tag === "Text" ? part.text : "")).join("\n\n")
  return { instructions: text, messages: others }
}

/**
 * What the answer is to contain besides the usual. Models that do not reason refuse a request for encrypted reasoning, so
 * it is made only of those that are known to, or where the caller speaks of reasoning, or the conversation holds some.
 */
const encodeIncludes = (
  own: unknown,
  request: LlmRequest,
  model: string,
  input: ReadonlyArray<JsonObject>
): JsonObject => {
  const reasons =
    isReasoner(model) ||
    (request.reasoning !== undefined && request.reasoning.effort !== "none" && request.reasoning.mode !== "disabled") ||
    input.some((item) => item["type"] === "reasoning")
  const include = [
    ...(Array.isArray(own) ? own : []),
    ...(request.sampling.logprobs === true ? ["message.output_text.logprobs"] : []),
    ...(reasons ? ["reasoning.encrypted_content"] : [])
  ]
  return include.length === 0 ? {} : { include }
}
