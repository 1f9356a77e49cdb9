import type { Schema } from "effect"
import type {
  LlmRequest,
  ReasoningSettings,
  ResponseFormat,
  Sampling,
  Tool,
  ToolChoice,
  WebSearch
} from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { searchWith } from "../HostedTools.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { filled } from "../extensions.ts"
import { extended, statedThinking } from "./extension.ts"
import { jsonSchemaOf } from "./json-schema.ts"
import { enumName } from "./proto-document.ts"
import {
  geminiId,
  type FunctionDeclaration,
  type GenerationConfig,
  type RequestTool,
  type ThinkingConfig,
  type ToolConfig
} from "./wire.ts"

/** The tools of one entry: the caller's functions, and the provider's own tools by the name of their field. */
export const decodeTool = ({ functionDeclarations = [], rest = {} }: RequestTool): ReadonlyArray<Tool> => [
  ...functionDeclarations.map(decodeFunction),
  ...Object.entries(rest).map(([name, value]): Tool => ({
    _tag: "Provider",
    protocol: geminiId,
    name,
    value: { [name]: value },
    ...(name === "googleSearch" ? { webSearch: searchOf(value) } : {})
  }))
]

const searchOf = (search: Schema.Json): WebSearch => {
  const { excludeDomains, ...options } = fieldsOf(search)
  return searchWith({ ...options, ...present({ blocked_domains: excludeDomains }) })
}

const decodeFunction = ({ name, description, parameters, parametersJsonSchema, rest }: FunctionDeclaration): Tool => {
  const inputSchema = parametersJsonSchema ?? (parameters === undefined ? undefined : jsonSchemaOf(parameters))
  return { _tag: "Function", name, ...present({ description, inputSchema }), ...extended(rest) }
}

const modes = ["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"]

/** The modes that any API has words for, or that say nothing. */
const usual: ReadonlySet<string> = new Set(["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE"])

/** Which functions may be called, and what the setting says beyond that. */
export const decodeToolConfig = (
  config: ToolConfig | undefined
): { readonly toolChoice: ToolChoice | undefined; readonly kept: JsonObject | undefined } => {
  const { mode, allowedFunctionNames: names = [], rest } = config?.functionCallingConfig ?? {}
  const name = mode === undefined ? undefined : enumName(mode, modes)
  const [only] = names
  const one = name === "ANY" && only !== undefined && names.length === 1
  const some = name === "ANY" && names.length > 1
  const kept = filled({
    // A mode that is none of the usual ones, and a choice of functions in one, have no other words.
    mode: name === undefined || usual.has(name) ? undefined : name,
    allowedFunctionNames: one || some || names.length === 0 ? undefined : names,
    ...rest
  })
  return {
    toolChoice: one
      ? { _tag: "Tool", name: only }
      : some
        ? { _tag: "Required", among: names }
        : name === "VALIDATED" && only !== undefined
          ? { _tag: "Auto", among: names }
          : choiceOf(name),
    kept: filled({ ...config?.rest, functionCallingConfig: kept })
  }
}

const choiceOf = (mode: string | undefined): ToolChoice | undefined => {
  switch (mode) {
    case "ANY":
      return { _tag: "Required" }
    case "NONE":
      return { _tag: "None" }
    case "AUTO":
    case "VALIDATED":
      return { _tag: "Auto" }
    default:
      return undefined
  }
}

type Settings = Pick<LlmRequest, "sampling" | "responseFormat" | "reasoning">

/** How the answer is to be drawn, thought about and formed; `kept` and `marks` are what only this format knows of it. */
export const decodeSettings = (
  config: GenerationConfig | undefined
): Settings & { readonly kept: JsonObject | undefined; readonly marks: JsonObject } => {
  const thinking = config?.thinkingConfig
  const format = config === undefined ? {} : decodeFormat(config)
  return {
    sampling: config === undefined ? {} : decodeSampling(config),
    ...present({
      responseFormat: format.responseFormat,
      reasoning: thinking === undefined ? undefined : decodeThinking(thinking)
    }),
    kept: filled({
      ...format.kept,
      thinkingConfig: thinking?.rest
    }),
    marks: thinking === undefined ? {} : { [statedThinking]: { includeThoughts: thinking.includeThoughts === true } }
  }
}

const decodeSampling = (config: GenerationConfig): Sampling =>
  present({
    maxOutputTokens: config.maxOutputTokens,
    temperature: config.temperature,
    topP: config.topP,
    topK: config.topK === undefined ? undefined : Math.max(0, Math.round(config.topK)),
    seed: config.seed,
    frequencyPenalty: config.frequencyPenalty,
    presencePenalty: config.presencePenalty,
    stopSequences: config.stopSequences,
    choices: config.candidateCount,
    logprobs: config.responseLogprobs,
    topLogprobs: config.logprobs
  })

const decodeFormat = ({
  responseMimeType,
  responseSchema,
  responseJsonSchema,
  rest = {}
}: GenerationConfig): { readonly responseFormat?: ResponseFormat; readonly kept?: JsonObject } => {
  const { responseFormat, ...others } = rest
  const stated = responseMimeType === undefined ? textFormatOf(responseFormat) : undefined
  const mimeType = stated?.mimeType ?? responseMimeType
  const schema =
    stated?.schema ?? responseJsonSchema ?? (responseSchema === undefined ? undefined : jsonSchemaOf(responseSchema))
  const kept = present({ ...others, responseFormat: stated === undefined ? responseFormat : undefined })
  if (mimeType === "application/json") {
    // The schema has no name here, and other formats want one.
    const named = schema === undefined ? undefined : ({ _tag: "JsonSchema", name: "output", schema } as const)
    return { responseFormat: named ?? { _tag: "Json" }, kept }
  }
  if (mimeType === "text/plain" && schema === undefined) return { responseFormat: { _tag: "Text" }, kept }
  return { kept: present({ responseMimeType: mimeType, responseSchema, responseJsonSchema, ...kept }) }
}

/** The form of a text where the newer list of forms has that and nothing else. */
const textFormatOf = (
  formats: Schema.Json | undefined
): { readonly mimeType: string; readonly schema: Schema.Json | undefined } | undefined => {
  const [format, ...others] = Array.isArray(formats) ? formats : [formats]
  const { text, ...media } = fieldsOf(format)
  if (others.length > 0 || Object.keys(media).length > 0 || !isObject(text)) return undefined
  const { mimeType, mime_type: sameThing = mimeType, schema } = text
  return typeof sameThing === "string" ? { mimeType: sameThing, schema } : undefined
}

const levels = ["THINKING_LEVEL_UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "MINIMAL"]

/** A budget of 0 switches thinking off, one of -1 leaves it to the model. Thoughts are shown to who asks to see them. */
const decodeThinking = (config: ThinkingConfig): ReasoningSettings => {
  const { thinkingBudget: budget, thinkingLevel, includeThoughts } = config
  const level = thinkingLevel === undefined ? undefined : enumName(thinkingLevel, levels).toLowerCase()
  return {
    ...(budget === undefined ? {} : { mode: budget === 0 ? "disabled" : budget < 0 ? "adaptive" : "enabled" }),
    ...(budget !== undefined && budget > 0 ? { budgetTokens: budget } : {}),
    ...(level === undefined || level === "thinking_level_unspecified" ? {} : { effort: level }),
    summary: includeThoughts === true ? "auto" : "none"
  }
}
