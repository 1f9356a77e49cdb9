import { Schema } from "effect"
import { byType, nullish, openDocument } from "../open-document.ts"

/** The name of the wire format, as a protocol and as a dialect. */
export const anthropicMessagesId = "anthropic-messages"

/** Why something is not said. */
export const noCounterpart = "the Messages API has no counterpart"

/** How the words of a refusal are said. */
export const refusalIsText = 'a refusal is text: the stop reason "refusal" says what it is'

/** The version of the API that is asked for where the caller did not name one. */
export const defaultVersion = "2023-06-01"

const CacheControl = openDocument({ type: Schema.String, ttl: nullish(Schema.String) })
export type CacheControl = typeof CacheControl.Type

const cached = { cache_control: nullish(CacheControl) }

const Text = openDocument({ type: Schema.String, text: Schema.String, ...cached })

const mediaSources = {
  base64: openDocument({ type: Schema.String, media_type: Schema.String, data: Schema.String }),
  url: openDocument({ type: Schema.String, url: Schema.String }),
  file: openDocument({ type: Schema.String, file_id: Schema.String })
}

const ImageSource = byType(mediaSources)

const DocumentSource = byType({
  ...mediaSources,
  text: openDocument({ type: Schema.String, data: Schema.String }),
  content: openDocument({ type: Schema.String, content: Schema.Json })
})
export type DocumentSource = typeof DocumentSource.Type

const Image = openDocument({ type: Schema.String, source: ImageSource, ...cached })

const Document = openDocument({
  type: Schema.String,
  source: DocumentSource,
  title: nullish(Schema.String),
  ...cached
})

const SearchResult = openDocument({
  type: Schema.String,
  content: Schema.Array(Text),
  ...cached
})

const ToolReference = openDocument({ type: Schema.String, tool_name: Schema.String, ...cached })

const contentBlocks = {
  text: Text,
  image: Image,
  document: Document,
  search_result: SearchResult,
  tool_reference: ToolReference
}

/** A block that holds what somebody said or a tool answered. */
export const ContentBlock = byType(contentBlocks)
export type ContentBlock = typeof ContentBlock.Type

const ToolResult = openDocument({
  type: Schema.String,
  tool_use_id: Schema.String,
  content: nullish(Schema.Union([Schema.String, Schema.Array(ContentBlock)])),
  is_error: nullish(Schema.Boolean),
  ...cached
})
export type ToolResult = typeof ToolResult.Type

const ToolUse = openDocument({
  type: Schema.String,
  id: Schema.String,
  name: Schema.String,
  input: Schema.Json,
  ...cached
})

// Blocks of other types (server tools and their results, MCP, uploads, what comes next) are passed on whole.
export const MessageBlock = byType({
  ...contentBlocks,
  tool_result: ToolResult,
  tool_use: ToolUse,
  thinking: openDocument({ type: Schema.String, thinking: Schema.String, signature: nullish(Schema.String) }),
  redacted_thinking: openDocument({ type: Schema.String, data: Schema.String }),
  compaction: openDocument({ type: Schema.String, content: nullish(Schema.String), ...cached })
})
export type MessageBlock = typeof MessageBlock.Type

const content = Schema.Union([Schema.String, Schema.Array(MessageBlock)])

export const RequestMessage = openDocument({
  role: Schema.Literals(["user", "assistant", "system"]),
  // An instruction within the conversation may be about other things than words: how much to think from there on.
  content: nullish(content)
})
export type RequestMessage = typeof RequestMessage.Type

export const RequestTool = byType(
  {
    custom: openDocument({
      type: nullish(Schema.String),
      name: Schema.String,
      description: nullish(Schema.String),
      input_schema: Schema.Record(Schema.String, Schema.Json),
      strict: nullish(Schema.Boolean),
      ...cached
    })
  },
  () => "custom"
)
export type RequestTool = typeof RequestTool.Type

const parallel = { disable_parallel_tool_use: nullish(Schema.Boolean) }

const RequestToolChoice = openDocument({
  type: Schema.Literals(["auto", "any", "none", "tool"]),
  name: nullish(Schema.String),
  ...parallel
})
export type RequestToolChoice = typeof RequestToolChoice.Type

const OutputFormat = byType({
  json_schema: openDocument({ type: Schema.String, schema: Schema.Record(Schema.String, Schema.Json) })
})

const Thinking = openDocument({
  type: Schema.String,
  budget_tokens: nullish(Schema.Natural),
  display: nullish(Schema.String)
})
export type Thinking = typeof Thinking.Type

const OutputConfig = openDocument({ effort: nullish(Schema.String), format: nullish(OutputFormat) })

/** The body of `POST /v1/messages`. */
export const MessagesRequest = openDocument({
  model: Schema.String,
  max_tokens: Schema.Natural,
  messages: Schema.Array(RequestMessage),
  system: nullish(content),
  stream: nullish(Schema.Boolean),
  tools: nullish(Schema.Array(RequestTool)),
  tool_choice: nullish(RequestToolChoice),
  thinking: nullish(Thinking),
  output_config: nullish(OutputConfig),
  output_format: nullish(OutputFormat),
  stop_sequences: nullish(Schema.Array(Schema.String)),
  temperature: nullish(Schema.Finite),
  top_p: nullish(Schema.Finite),
  top_k: nullish(Schema.Natural),
  metadata: nullish(openDocument({ user_id: nullish(Schema.String) })),
  service_tier: nullish(Schema.String)
})
export type MessagesRequest = typeof MessagesRequest.Type
