import { Schema } from "effect"
import { byType, nullish, openDocument } from "../open-document.ts"

/** The name of the wire format, as a protocol and as a dialect. */
export const openAiResponsesId = "openai-responses"

const type = Schema.String

const contentParts = {
  input_text: openDocument({ type, text: Schema.String }),
  input_image: openDocument({
    type,
    image_url: nullish(Schema.String),
    file_id: nullish(Schema.String),
    detail: nullish(Schema.String)
  }),
  input_file: openDocument({
    type,
    file_id: nullish(Schema.String),
    file_url: nullish(Schema.String),
    file_data: nullish(Schema.String),
    filename: nullish(Schema.String)
  }),
  input_audio: openDocument({ type, input_audio: openDocument({ data: Schema.String, format: Schema.String }) }),
  output_text: openDocument({ type, text: Schema.String }),
  refusal: openDocument({ type, refusal: Schema.String })
}

/** A piece of what a message or the answer of a tool says; one of another type is passed on whole. */
export const ContentPart = byType(contentParts)
export type ContentPart = typeof ContentPart.Type

const content = Schema.Union([Schema.String, Schema.Array(ContentPart)])
export type Content = typeof content.Type

const MessageItem = openDocument({
  type: nullish(type),
  role: Schema.Literals(["user", "assistant", "system", "developer"]),
  content
})
export type MessageItem = typeof MessageItem.Type

const ToolOutput = openDocument({ type, call_id: Schema.String, output: content })
export type ToolOutput = typeof ToolOutput.Type

/** Who answers without having been asked says no call, only the name of the tool. */
const FunctionOutput = openDocument({ type, call_id: nullish(Schema.String), output: content })

const Texts = Schema.Array(openDocument({ type, text: Schema.String }))

const ReasoningItem = openDocument({
  type,
  summary: nullish(Texts),
  content: nullish(Texts),
  encrypted_content: nullish(Schema.String)
})
export type ReasoningItem = typeof ReasoningItem.Type

const clientTools = {
  function: openDocument({
    type,
    name: Schema.String,
    description: nullish(Schema.String),
    parameters: nullish(Schema.Record(Schema.String, Schema.Json)),
    strict: nullish(Schema.Boolean)
  }),
  custom: openDocument({
    type,
    name: Schema.String,
    description: nullish(Schema.String),
    format: nullish(Schema.Record(Schema.String, Schema.Json))
  })
}
const ClientTool = byType(clientTools)
export type ClientTool = Exclude<typeof ClientTool.Type, { readonly type: undefined }>

export const RequestTool = byType({
  ...clientTools,
  namespace: openDocument({ type, name: Schema.String, tools: Schema.Array(ClientTool) })
})
export type RequestTool = typeof RequestTool.Type

const TextFormat = byType({
  text: openDocument({ type }),
  json_object: openDocument({ type }),
  json_schema: openDocument({
    type,
    name: Schema.String,
    schema: Schema.Record(Schema.String, Schema.Json),
    description: nullish(Schema.String),
    strict: nullish(Schema.Boolean)
  })
})
export type TextFormat = typeof TextFormat.Type

/** Tools that the model may call from here on. */
const ToolsItem = openDocument({ type, tools: Schema.Array(RequestTool) })

const call = { call_id: Schema.String, name: Schema.String, namespace: nullish(Schema.String) }

// Items of other types (calls of hosted tools and what they answered, MCP, references, what comes next) are passed on whole.
export const InputItem = byType(
  {
    message: MessageItem,
    function_call: openDocument({ type, ...call, arguments: Schema.String }),
    function_call_output: FunctionOutput,
    custom_tool_call: openDocument({ type, ...call, input: Schema.String }),
    custom_tool_call_output: ToolOutput,
    reasoning: ReasoningItem,
    item_reference: openDocument({ type: nullish(type), id: Schema.String }),
    configuration_update: openDocument({
      type,
      text: nullish(openDocument({ format: nullish(TextFormat) })),
      reasoning: nullish(openDocument({ effort: nullish(Schema.String) }))
    }),
    tool_search_output: ToolsItem,
    additional_tools: ToolsItem
  },
  ({ id, role }) => (role === undefined && typeof id === "string" ? "item_reference" : "message")
)
export type InputItem = typeof InputItem.Type

const RequestToolChoice = Schema.Union([
  Schema.Literals(["auto", "none", "required"]),
  byType({
    function: openDocument({ type, name: Schema.String }),
    custom: openDocument({ type, name: Schema.String }),
    allowed_tools: openDocument({ type, mode: Schema.Literals(["auto", "required"]), tools: Schema.Json })
  })
])
export type RequestToolChoice = typeof RequestToolChoice.Type

/** The body of `POST /v1/responses`. */
export const ResponsesRequest = openDocument({
  model: Schema.String,
  input: nullish(Schema.Union([Schema.String, Schema.Array(InputItem)])),
  instructions: nullish(Schema.String),
  stream: nullish(Schema.Boolean),
  tools: nullish(Schema.Array(RequestTool)),
  tool_choice: nullish(RequestToolChoice),
  parallel_tool_calls: nullish(Schema.Boolean),
  text: nullish(openDocument({ format: nullish(TextFormat) })),
  reasoning: nullish(openDocument({ effort: nullish(Schema.String), summary: nullish(Schema.String) })),
  max_output_tokens: nullish(Schema.Natural),
  temperature: nullish(Schema.Finite),
  top_p: nullish(Schema.Finite),
  top_logprobs: nullish(Schema.Natural),
  include: nullish(Schema.Array(Schema.String)),
  store: nullish(Schema.Boolean),
  background: nullish(Schema.Boolean),
  previous_response_id: nullish(Schema.String),
  conversation: nullish(Schema.Union([Schema.String, openDocument({ id: Schema.String })])),
  prompt: nullish(openDocument({ id: Schema.String })),
  metadata: nullish(Schema.Record(Schema.String, Schema.Json)),
  service_tier: nullish(Schema.String),
  user: nullish(Schema.String)
})
export type ResponsesRequest = typeof ResponsesRequest.Type
