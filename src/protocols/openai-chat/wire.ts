import { Schema } from "effect"
import { byType, nullish, openDocument } from "../open-document.ts"

/** The name of the wire format, as a protocol and as a dialect. */
export const openAiChatId = "openai-chat"

// Not part of the API itself: routers in front of other providers take it on parts and tools.
const CacheControl = openDocument({ type: Schema.String, ttl: nullish(Schema.String) })
export type CacheControl = typeof CacheControl.Type

const cached = { cache_control: nullish(CacheControl) }

// Parts of other types (video, documents, references, what comes next) are passed on whole.
export const ContentPart = byType({
  text: openDocument({ type: Schema.String, text: Schema.String, ...cached }),
  refusal: openDocument({ type: Schema.String, refusal: Schema.String }),
  image_url: openDocument({
    type: Schema.String,
    image_url: openDocument({ url: Schema.String, detail: nullish(Schema.String) }),
    ...cached
  }),
  input_audio: openDocument({
    type: Schema.String,
    input_audio: openDocument({ data: Schema.String, format: nullish(Schema.String) }),
    ...cached
  }),
  file: openDocument({
    type: Schema.String,
    file: openDocument({
      file_data: nullish(Schema.String),
      file_id: nullish(Schema.String),
      filename: nullish(Schema.String)
    }),
    ...cached
  })
})
export type ContentPart = typeof ContentPart.Type

const FunctionCall = openDocument({ name: Schema.String, arguments: nullish(Schema.String) })

export const RequestToolCall = byType(
  {
    function: openDocument({ type: nullish(Schema.String), id: nullish(Schema.String), function: FunctionCall }),
    custom: openDocument({
      type: Schema.String,
      id: Schema.String,
      custom: openDocument({ name: Schema.String, input: Schema.String })
    })
  },
  () => "function"
)
export type RequestToolCall = typeof RequestToolCall.Type

/** Reasoning that goes back to who made it, piece by piece: text, summaries, encrypted blobs, signatures. */
export const ReasoningDetail = openDocument({
  type: Schema.String,
  text: nullish(Schema.String),
  summary: nullish(Schema.String),
  data: nullish(Schema.String),
  signature: nullish(Schema.String),
  format: nullish(Schema.String)
})
export type ReasoningDetail = typeof ReasoningDetail.Type

export const RequestMessage = openDocument({
  role: Schema.Literals(["system", "developer", "user", "assistant", "tool", "function"]),
  content: nullish(Schema.Union([Schema.String, Schema.Array(ContentPart)])),
  name: nullish(Schema.String),
  tool_call_id: nullish(Schema.String),
  tool_calls: nullish(Schema.Array(RequestToolCall)),
  function_call: nullish(FunctionCall),
  refusal: nullish(Schema.String),
  reasoning_content: nullish(Schema.String),
  reasoning: nullish(Schema.String),
  reasoning_details: nullish(Schema.Array(ReasoningDetail))
})
export type RequestMessage = typeof RequestMessage.Type

const JsonSchema = Schema.Record(Schema.String, Schema.Json)

const FunctionDefinition = openDocument({
  name: Schema.String,
  description: nullish(Schema.String),
  parameters: nullish(JsonSchema),
  strict: nullish(Schema.Boolean)
})
export type FunctionDefinition = typeof FunctionDefinition.Type

/** What the text of a custom tool is held to. */
const TextFormat = byType({
  grammar: openDocument({ type: Schema.String, grammar: Schema.Record(Schema.String, Schema.Json) })
})
export type TextFormat = typeof TextFormat.Type

export const RequestTool = byType({
  function: openDocument({ type: Schema.String, function: FunctionDefinition, ...cached }),
  custom: openDocument({
    type: Schema.String,
    custom: openDocument({ name: Schema.String, description: nullish(Schema.String), format: nullish(TextFormat) })
  })
})
export type RequestTool = typeof RequestTool.Type

const Named = openDocument({ name: Schema.String })

export const RequestToolChoice = Schema.Union([
  // The last one is another server's word for the third.
  Schema.Literals(["none", "auto", "required", "any"]),
  byType({
    function: openDocument({ type: Schema.String, function: Named }),
    custom: openDocument({ type: Schema.String, custom: Named }),
    allowed_tools: openDocument({
      type: Schema.String,
      allowed_tools: openDocument({ mode: Schema.String, tools: Schema.Json })
    })
  })
])
export type RequestToolChoice = typeof RequestToolChoice.Type

const RequestFormat = byType({
  text: openDocument({ type: Schema.String }),
  json_object: openDocument({ type: Schema.String }),
  json_schema: openDocument({
    type: Schema.String,
    json_schema: openDocument({
      name: Schema.String,
      description: nullish(Schema.String),
      schema: nullish(JsonSchema),
      strict: nullish(Schema.Boolean)
    })
  })
})
export type RequestFormat = typeof RequestFormat.Type

/** The body of `POST /v1/chat/completions`. */
export const ChatRequest = openDocument({
  model: Schema.String,
  messages: Schema.Array(RequestMessage),
  stream: nullish(Schema.Boolean),
  stream_options: nullish(openDocument({ include_usage: nullish(Schema.Boolean) })),
  tools: nullish(Schema.Array(RequestTool)),
  tool_choice: nullish(RequestToolChoice),
  parallel_tool_calls: nullish(Schema.Boolean),
  functions: nullish(Schema.Array(FunctionDefinition)),
  function_call: nullish(Schema.Union([Schema.Literals(["none", "auto"]), Named])),
  max_completion_tokens: nullish(Schema.Natural),
  max_tokens: nullish(Schema.Natural),
  temperature: nullish(Schema.Finite),
  top_p: nullish(Schema.Finite),
  top_k: nullish(Schema.Int),
  seed: nullish(Schema.Finite),
  frequency_penalty: nullish(Schema.Finite),
  presence_penalty: nullish(Schema.Finite),
  stop: nullish(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  n: nullish(Schema.Natural),
  logprobs: nullish(Schema.Boolean),
  top_logprobs: nullish(Schema.Natural),
  response_format: nullish(RequestFormat),
  reasoning_effort: nullish(Schema.String),
  service_tier: nullish(Schema.String),
  user: nullish(Schema.String),
  metadata: nullish(Schema.Record(Schema.String, Schema.Json))
})
export type ChatRequest = typeof ChatRequest.Type
