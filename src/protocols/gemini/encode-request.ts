import { Result } from "effect"
import type { LlmError } from "../../domain/LlmError.ts"
import type { Delivery, LlmRequest, Message } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { dropSettings } from "../LackingSettings.ts"
import { jsonInstruction, jsonIsTold, schemaInstruction, schemaIsTold } from "../JsonInstruction.ts"
import { fieldsOf, isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { refuseForeignInput } from "../foreign-blocks.ts"
import type { EncodeContext, EncodedRequest } from "../Protocol.ts"
import { tokenCount } from "../token-counts.ts"
import { offeringOnly, withoutForeignChoice } from "../ToolSubset.ts"
import { encodeContents } from "./encode-contents.ts"
import { encodeSettings } from "./encode-settings.ts"
import { encodeToolConfig, encodeTools, isMixed } from "./encode-tools.ts"
import { GeminiEncoding } from "./encoding.ts"
import { ownExtension, statedThinking } from "./extension.ts"
import { maySearch, traitsOf } from "./models.ts"
import { takeableContents } from "./written-contents.ts"
import { geminiId } from "./wire.ts"

const methods: { readonly [D in Delivery]: string } = {
  stream: ":streamGenerateContent?alt=sse",
  whole: ":generateContent"
}

/** A model, or whatever answers as one, under the name of the collection that it stands in. */
export const resourceOf = (model: string): string => (/^[a-zA-Z]+\//.test(model) ? model : `models/${model}`)

/** The path of a method of a model. */
export const pathOf = (model: string, method: string): string =>
  `/v1beta/${resourceOf(model).split("/").map(encodeURIComponent).join("/")}${method}`

/** Encodes a request: as it came where it came in this format and nobody changed it, else from the canonical one. */
export const encodeRequest = (request: LlmRequest, context: EncodeContext): Result.Result<EncodedRequest, LlmError> => {
  const encoding = new GeminiEncoding(traitsOf(context.model))
  const body = encodeBody(request, context, encoding)
  return encoding.encoded({ path: pathOf(context.model, methods[context.delivery]), headers: {}, body })
}

/** Encodes the question for the size of a request. */
export const encodeCountRequest = (
  request: LlmRequest,
  context: EncodeContext
): Result.Result<EncodedRequest, LlmError> =>
  Result.map(encodeRequest(request, context), ({ body, ...encoded }) => ({
    ...encoded,
    path: pathOf(context.model, ":countTokens"),
    body:
      "generateContentRequest" in body
        ? body
        : { generateContentRequest: { model: resourceOf(context.model), ...body } }
  }))

/** Reads the size of a request. */
export const readCount = (body: unknown): number | undefined => tokenCount(fieldsOf(body)["totalTokens"])

const encodeBody = (
  asked: LlmRequest,
  { model, origin, quirks }: EncodeContext,
  encoding: GeminiEncoding
): JsonObject => {
  if (origin !== undefined) {
    // The model stands in the path; named here again it would be the one that the caller asked for.
    const { model: _, ...body } = origin.body
    return { ...body, ...(quirks.takesSeals === true ? {} : takeableContents(body, encoding)) }
  }
  const chosen = withoutForeignChoice(asked, geminiId, encoding)
  // The API has names of functions only for a choice that must be made, and for one that came in this format with them.
  const chosenAtWill = chosen.toolChoice?._tag === "Auto" && !namesFunctions(ownExtension(asked.extensions))
  const request = formedInWords(chosenAtWill ? offeringOnly(chosen, encoding) : chosen, encoding)
  refuseForeignInput(request.messages, geminiId, encoding)
  const kept = encoding.own(request.extensions)
  dropSettings(request, ["metadata", "user"], encoding)
  const { generationConfig: _, [statedThinking]: __, toolConfig: ownToolConfig, ...own } = kept
  const { system, contents } = encodeContents(request.messages, encoding)
  const tools = encodeTools(request, maySearch(model, request), encoding)
  return {
    contents,
    ...present({
      systemInstruction: system,
      tools: unlessEmpty(tools),
      toolConfig: encodeToolConfig(request, ownToolConfig, isMixed(request, tools), encoding),
      generationConfig: encodeSettings(request, quirks, encoding),
      serviceTier: serviceTierOf(request.serviceTier, encoding)
    }),
    ...own
  }
}

/** The older models refuse to be held to JSON beside functions: they are told in words. */
const formedInWords = (request: LlmRequest, encoding: GeminiEncoding): LlmRequest => {
  const { responseFormat: format, tools = [], ...rest } = request
  const isFree = format === undefined || format._tag === "Text" || !tools.some(({ _tag }) => _tag === "Function")
  if (isFree || encoding.traits.formsBesideTools) return request
  const isBare = format._tag === "Json"
  encoding.add("emulated", isBare ? jsonIsTold : schemaIsTold)
  const text = isBare ? jsonInstruction : schemaInstruction(format.schema)
  const instruction: Message = { role: "system", parts: [{ _tag: "Text", text }] }
  return { ...rest, tools, messages: [instruction, ...request.messages] }
}

const namesFunctions = ({ toolConfig }: JsonObject): boolean => {
  const calling = fieldsOf(toolConfig)["functionCallingConfig"]
  return isObject(calling) && calling["allowedFunctionNames"] !== undefined
}

const tiers = ["standard", "flex", "priority"]

const serviceTierOf = (tier: string | undefined, encoding: GeminiEncoding): string | undefined => {
  if (tier === undefined || tiers.includes(tier)) return tier
  if (tier === "standard_only") return "standard"
  if (tier !== "auto" && tier !== "default") encoding.dropped(`service_tier ${tier}`)
  return undefined
}
