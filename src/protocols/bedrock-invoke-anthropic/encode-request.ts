import { Result } from "effect"
import type { Notice } from "../../domain/Call.ts"
import { failure, type LlmError } from "../../domain/LlmError.ts"
import { present } from "../../domain/present.ts"
import type { LlmRequest, Message, Part, Tool } from "../../domain/LlmRequest.ts"
import { encodeRequest as encodeMessagesRequest } from "../anthropic-messages/encode-request.ts"
import { betas, userProfile } from "../anthropic-messages/extension.ts"
import { anthropicMessagesId } from "../anthropic-messages/wire.ts"
import { bedrockBetas } from "../claude/betas.ts"
import { begunByUser } from "../bedrock-converse/first-turn.ts"
import { bedrockConverseId } from "../bedrock-converse/wire.ts"
import type { JsonObject } from "../open-document.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { bedrockInvokeAnthropicId, bedrockVersion } from "./wire.ts"

/**
 * Encodes a request as one of the Messages API, and puts it into the envelope of InvokeModel: the model is part of the path,
 * what Claude's own API has in headers is part of the body, and the tier of the service is a header.
 */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const { model, delivery } = context
  const absent = request.messages.flatMap(({ parts }) => parts).find(isElsewhere)
  if (absent !== undefined) {
    return Result.fail(
      failure({ _tag: "Unsupported", feature: "media by URL or id" }, "InvokeModel takes media as bytes only")
    )
  }
  const notices: Array<Notice> = []
  const tier = tierHeader(request.serviceTier, notices)
  const enveloped = { ...context, quirks: { ...context.quirks, betas: bedrockBetas }, origin: undefined }
  const begun = begunByUser(request, (message) => void notices.push({ code: "emulated", message }))
  return Result.map(encodeMessagesRequest(messagesRequest(begun), enveloped), (encoded) => {
    const { model: _, stream: __, ...body } = encoded.body
    const streams = delivery === "stream"
    return {
      path: `/model/${encodeURIComponent(model)}/${streams ? "invoke-with-response-stream" : "invoke"}`,
      headers: { ...(streams ? { accept: "application/vnd.amazon.eventstream" } : {}), ...tier },
      body: { anthropic_version: bedrockVersion, ...headersInBody(encoded.headers), ...body },
      notices: [...encoded.notices, ...notices]
    }
  })
}

/** What is new in the API, and for whom a request is made, is said in the body here. */
const headersInBody = ({ [betas]: asked, [userProfile]: profile }: EncodedRequest["headers"]): JsonObject =>
  present({ anthropic_beta: asked?.split(","), user_profile_id: profile })

/** Media that the provider would have to fetch. */
const isElsewhere = (part: Part): boolean =>
  part._tag === "Media"
    ? part.source._tag !== "Base64"
    : part._tag === "ToolResult" && part.content.some((piece) => isElsewhere(piece))

/** The request as the Messages API has it: what was kept for this format is for that one, and so is what was signed here. */
const messagesRequest = (whole: LlmRequest): LlmRequest => {
  const { serviceTier: _, extensions, ...request } = whole
  const { [bedrockInvokeAnthropicId]: own, ...others } = extensions ?? {}
  return {
    ...request,
    messages: request.messages.map(adopted),
    ...(request.tools === undefined ? {} : { tools: request.tools.map(withoutSearch) }),
    ...(extensions === undefined
      ? {}
      : { extensions: { ...others, [anthropicMessagesId]: { ...others[anthropicMessagesId], ...own } } })
  }
}

/** Claude searches the web at its maker's only. */
const withoutSearch = (tool: Tool): Tool => {
  if (tool._tag === "Function") return tool
  const { webSearch: _, ...other } = tool
  return other
}

/** Claude's proofs hold on every platform that has Claude. */
const signers: ReadonlyArray<string | undefined> = [bedrockInvokeAnthropicId, bedrockConverseId]

const adopted = (message: Message): Message =>
  message.parts.some((part) => part._tag === "Reasoning" && signers.includes(part.origin))
    ? {
        ...message,
        parts: message.parts.map((part) =>
          part._tag === "Reasoning" && signers.includes(part.origin) ? { ...part, origin: anthropicMessagesId } : part
        )
      }
    : message

const tiers: ReadonlyArray<string> = ["default", "priority", "flex", "reserved"]

const tierHeader = (tier: string | undefined, notices: Array<Notice>): { readonly [name: string]: string } => {
  if (tier === undefined || tier === "auto") return {}
  const type = tier === "standard" || tier === "standard_only" ? "default" : tier
  if (tiers.includes(type)) return { "x-amzn-bedrock-service-tier": type }
  notices.push({ code: "dropped", message: `service_tier ${tier}: Amazon Bedrock has no counterpart` })
  return {}
}
