import type { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { anyTraits, claudeTraits, type ClaudeTraits } from "../claude/traits.ts"
import { formOf, type Form } from "../claude/form.ts"
import { betasIn } from "../claude/betas.ts"
import { cacheForClouds } from "../claude/cloud-cache.ts"
import { lacksThought } from "../claude/thinking.ts"
import type { EncodeContext, EncodedRequest, Quirks } from "../Protocol.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import { fieldsOf, isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { offeringOnly, unforced } from "../ToolSubset.ts"
import { encodeMessages } from "./encode-messages.ts"
import { encodeSettings } from "./encode-settings.ts"
import { encodeTool, encodeToolChoice } from "./encode-tools.ts"
import { MessagesEncoding } from "./encoding.ts"
import { betas, ownExtension, statedFormat, statedVersion, userProfile, withoutMarks, workspace } from "./extension.ts"
import { anthropicMessagesId, defaultVersion } from "./wire.ts"
import { blockKind, takeable } from "./written-turns.ts"

const path = "/v1/messages"

/** Encodes a request: as it came where it came in this format and nobody changed it, else from the canonical one. */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const { origin, model, delivery, quirks } = context
  const encoding = new MessagesEncoding()
  if (origin !== undefined) {
    const headers = headersOf(origin.headers, quirks, encoding)
    const stream = delivery === "stream" ? { stream: true } : "stream" in origin.body ? { stream: false } : {}
    const taken = quirks.takesSeals === true ? origin.body : takeable(origin.body, model, encoding)
    return encoding.encoded({ path, headers, body: cached({ ...taken, model, ...stream }, context, encoding) })
  }
  const body = cached(encodeBody(request, context, encoding), context, encoding)
  // The headers that a request of this format had, where it does not go on as it came.
  const own = ownExtension(request.extensions)
  const stated = { ...own, ...present({ "anthropic-version": own[statedVersion] }) }
  return encoding.encoded({ path, headers: headersOf(stated, quirks, encoding), body })
}

const cached = (body: JsonObject, { model, quirks }: EncodeContext, said: MessagesEncoding): JsonObject =>
  quirks.betas === undefined ? body : cacheForClouds(body, model, said)

const headersOf = (headers: JsonObject, quirks: Quirks, said: MessagesEncoding): EncodedRequest["headers"] => {
  const { "anthropic-version": version, [betas]: beta, [userProfile]: profile, [workspace]: elsewhere } = headers
  const stated = {
    "anthropic-version": typeof version === "string" ? version : defaultVersion,
    ...(typeof profile === "string" ? { [userProfile]: profile } : {})
  }
  if (elsewhere !== undefined) said.dropped(workspace, "the provider's key, which is not the caller's, says in which")
  if (typeof beta !== "string" || quirks.betas === undefined) {
    return typeof beta === "string" ? { ...stated, [betas]: beta } : stated
  }
  const known = betasIn(beta, quirks.betas, said)
  return known.length === 0 ? stated : { ...stated, [betas]: known.join(",") }
}

const encodeBody = (
  asked: LlmRequest,
  { model, delivery, quirks }: EncodeContext,
  encoding: MessagesEncoding
): JsonObject => {
  const request = offeringOnly(asked, encoding)
  refuseForeignInput(request.messages, anthropicMessagesId, encoding)
  const kept = encoding.own(request.extensions)
  const { metadata, tool_choice, thinking: _, output_config: __, ...more } = kept
  const { [betas]: ___, [userProfile]: ____, [workspace]: _____, ...own } = more
  const traits = traitsOf(model, quirks)
  const tools = request.tools?.flatMap((tool) => encodeTool(tool, traits, encoding)) ?? []
  const choice = tools.length === 0 ? undefined : encodeToolChoice(unforced(request, traits, encoding))
  const forced = choice?.["type"] === "any" || choice?.["type"] === "tool"
  const conversation = encodeMessages(request.messages, encoding)
  const thoughtless = lacksThought(conversation.messages, blockKind)
  const { schema, instruction } = formFor(request, traits, encoding)
  const settings = encodeSettings(request, { traits, forced, thoughtless, schema }, encoding)
  const told = instruction === undefined ? [] : [{ type: "text", text: instruction }]
  const system = [...conversation.system, ...told]
  return {
    model,
    ...settings,
    ...(delivery === "stream" ? { stream: true } : {}),
    ...present({ system: unlessEmpty(system) }),
    messages: conversation.messages,
    ...present({
      tools: unlessEmpty(tools),
      tool_choice: choice === undefined ? undefined : { ...choice, ...fieldsOf(tool_choice) },
      metadata: unlessEmpty({ ...fieldsOf(metadata), ...present({ user_id: request.user }) }),
      service_tier: serviceTier(request.serviceTier, encoding)
    }),
    ...withoutMarks(own)
  }
}

/** What is known of the model; a server may say of its models that they decide themselves how much they think. */
const traitsOf = (model: string, { adaptiveThinking }: Quirks): ClaudeTraits => {
  const traits = claudeTraits(model) ?? anyTraits
  return adaptiveThinking === true ? { ...traits, thinking: "effort" } : traits
}

/** The form of the answer. A schema that was given in the words of this API is as the caller wants it. */
const formFor = (
  { extensions, responseFormat }: LlmRequest,
  traits: ClaudeTraits,
  encoding: MessagesEncoding
): Form => {
  const stated = traits.schemas && ownExtension(extensions)[statedFormat] === true
  return stated && responseFormat?._tag === "JsonSchema" && isObject(responseFormat.schema)
    ? { schema: responseFormat.schema }
    : formOf(responseFormat, traits, encoding)
}

const serviceTier = (tier: string | undefined, encoding: MessagesEncoding): string | undefined => {
  if (tier === undefined || tier === "auto" || tier === "standard_only") return tier
  if (tier === "default" || tier === "standard") return "standard_only"
  encoding.dropped(`service_tier ${tier}`)
  return undefined
}
