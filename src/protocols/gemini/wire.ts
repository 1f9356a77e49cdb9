import { Schema } from "effect"
import { EnumValue, message, numeric, repeated } from "./proto-document.ts"

/** The name of the wire format, as a protocol and as a dialect. */
export const geminiId = "gemini"

const optional = Schema.optionalKey

const JsonObject = Schema.Record(Schema.String, Schema.Json)

const Blob = message({ mimeType: Schema.String, data: Schema.String })
const FileData = message({ mimeType: optional(Schema.String), fileUri: Schema.String })

/** A picture or a file in the answer of a function. */
const ResponsePart = message({ inlineData: optional(Blob), fileData: optional(FileData) })

const FunctionCall = message({
  id: optional(Schema.String),
  name: Schema.String,
  args: optional(JsonObject)
})

const FunctionResponse = message({
  id: optional(Schema.String),
  name: Schema.String,
  response: optional(JsonObject),
  parts: optional(repeated(ResponsePart))
})
export type FunctionResponse = typeof FunctionResponse.Type

// Parts of other kinds (code that the provider runs, its tools and their answers, what comes next) are passed on whole.
export const ContentPart = message({
  text: optional(Schema.String),
  thought: optional(Schema.Boolean),
  thoughtSignature: optional(Schema.String),
  inlineData: optional(Blob),
  fileData: optional(FileData),
  functionCall: optional(FunctionCall),
  functionResponse: optional(FunctionResponse)
})
export type ContentPart = typeof ContentPart.Type

export const Content = message({ role: optional(Schema.String), parts: optional(repeated(ContentPart)) })
export type Content = typeof Content.Type

const FunctionDeclaration = message({
  name: Schema.String,
  description: optional(Schema.String),
  parameters: optional(JsonObject),
  parametersJsonSchema: optional(Schema.Json)
})
export type FunctionDeclaration = typeof FunctionDeclaration.Type

export const RequestTool = message({ functionDeclarations: optional(repeated(FunctionDeclaration)) })
export type RequestTool = typeof RequestTool.Type

const ToolConfig = message({
  functionCallingConfig: optional(
    message({ mode: optional(EnumValue), allowedFunctionNames: optional(repeated(Schema.String)) })
  )
})
export type ToolConfig = typeof ToolConfig.Type

const Int = numeric(Schema.Int)
const Natural = numeric(Schema.Natural)
const Finite = numeric(Schema.Finite)

const ThinkingConfig = message({
  includeThoughts: optional(Schema.Boolean),
  thinkingBudget: optional(Int),
  thinkingLevel: optional(EnumValue)
})
export type ThinkingConfig = typeof ThinkingConfig.Type

export const GenerationConfig = message({
  temperature: optional(Finite),
  topP: optional(Finite),
  // Written with a fraction by clients whose own field is a float.
  topK: optional(Finite),
  candidateCount: optional(Natural),
  maxOutputTokens: optional(Natural),
  stopSequences: optional(repeated(Schema.String)),
  presencePenalty: optional(Finite),
  frequencyPenalty: optional(Finite),
  seed: optional(Int),
  responseLogprobs: optional(Schema.Boolean),
  logprobs: optional(Natural),
  responseMimeType: optional(Schema.String),
  responseSchema: optional(JsonObject),
  responseJsonSchema: optional(Schema.Json),
  thinkingConfig: optional(ThinkingConfig)
})
export type GenerationConfig = typeof GenerationConfig.Type

/** The body of `:generateContent` and `:streamGenerateContent`. The model stands in the path, and here at most again. */
export const GenerateContentRequest = message({
  model: optional(Schema.String),
  contents: repeated(Content),
  systemInstruction: optional(Content),
  tools: optional(repeated(RequestTool)),
  toolConfig: optional(ToolConfig),
  generationConfig: optional(GenerationConfig),
  serviceTier: optional(Schema.String)
})
export type GenerateContentRequest = typeof GenerateContentRequest.Type
