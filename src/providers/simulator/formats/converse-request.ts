import { Schema } from "effect"
import type { FunctionTool, LlmRequest, Message, Part, ResponseFormat, ToolChoice } from "../../../domain/LlmRequest.ts"
import { present } from "../../../domain/present.ts"
import { documentDecoder } from "../../../protocols/document.ts"
import { isObject, nullish, parseJson } from "../../../protocols/open-document.ts"

const Text = Schema.Struct({ text: nullish(Schema.String) })

/** A block of content, told apart by the one field it has. Media count only as such. */
const Block = Schema.Struct({
  ...Text.fields,
  image: nullish(Schema.Json),
  document: nullish(Schema.Json),
  guardContent: nullish(Schema.Struct({ text: nullish(Text) })),
  citationsContent: nullish(Schema.Struct({ content: Schema.Array(Text) })),
  reasoningContent: nullish(
    Schema.Struct({
      reasoningText: nullish(Schema.Struct({ text: Schema.String, signature: nullish(Schema.String) })),
      redactedContent: nullish(Schema.String)
    })
  ),
  toolUse: nullish(Schema.Struct({ toolUseId: Schema.String, name: Schema.String, input: Schema.Json })),
  toolResult: nullish(
    Schema.Struct({ toolUseId: Schema.String, content: Schema.Array(Text), status: nullish(Schema.String) })
  )
})

const Body = Schema.Struct({
  messages: Schema.Array(Schema.Struct({ role: Schema.Literals(["user", "assistant"]), content: Schema.Array(Block) })),
  system: nullish(Schema.Array(Text)),
  inferenceConfig: nullish(
    Schema.Struct({ maxTokens: nullish(Schema.Natural), stopSequences: nullish(Schema.Array(Schema.String)) })
  ),
  toolConfig: nullish(
    Schema.Struct({
      tools: Schema.Array(
        Schema.Struct({
          toolSpec: nullish(
            Schema.Struct({
              name: Schema.String,
              description: nullish(Schema.String),
              inputSchema: Schema.Struct({ json: Schema.Json })
            })
          )
        })
      ),
      toolChoice: nullish(
        Schema.Struct({ any: nullish(Schema.Json), tool: nullish(Schema.Struct({ name: Schema.String })) })
      )
    })
  ),
  outputConfig: nullish(
    Schema.Struct({
      textFormat: nullish(
        Schema.Struct({
          structure: Schema.Struct({
            jsonSchema: Schema.Struct({ name: nullish(Schema.String), schema: Schema.String })
          })
        })
      )
    })
  )
})
type Body = typeof Body.Type

/** Reads the body of a request. */
export const decodeBody = documentDecoder(Body)

/** The canonical request that a body is one of; the model is in the path. */
export const requestOf = ({ messages, system, toolConfig, ...body }: Body, model: string): LlmRequest => {
  const { maxTokens, stopSequences } = body.inferenceConfig ?? {}
  const tools = toolConfig?.tools.flatMap(toolOf)
  return {
    model,
    messages: [...(system ?? []).map(instructionOf), ...messages.flatMap(turnOf)],
    ...present({
      tools,
      toolChoice: choiceOf(toolConfig?.toolChoice),
      responseFormat: formatOf(body.outputConfig?.textFormat)
    }),
    sampling: present({ maxOutputTokens: maxTokens, stopSequences })
  }
}

const instructionOf = ({ text }: typeof Text.Type): Message => ({
  role: "system",
  parts: [{ _tag: "Text", text: text ?? "" }]
})

/** A turn; what tools answered stands in a message of its own. */
const turnOf = ({ role, content }: Body["messages"][number]): ReadonlyArray<Message> => {
  const parts = content.flatMap(partOf)
  const results = parts.filter((part) => part._tag === "ToolResult")
  const rest = parts.filter((part) => part._tag !== "ToolResult")
  return [
    ...(results.length === 0 ? [] : [{ role: "tool", parts: results } as const]),
    ...(rest.length === 0 ? [] : [{ role, parts: rest }])
  ]
}

const partOf = (block: typeof Block.Type): ReadonlyArray<Part> => {
  const { text, image, document, reasoningContent: thought, toolUse, toolResult } = block
  if (typeof text === "string") return [{ _tag: "Text", text }]
  const { guardContent: guarded, citationsContent: cited } = block
  const told = guarded?.text?.text ?? cited?.content.map((piece) => piece.text ?? "").join("")
  if (told !== undefined) return [{ _tag: "Text", text: told }]
  if (image || document) {
    return [{ _tag: "Media", kind: image ? "image" : "file", source: { _tag: "Base64", data: "" } }]
  }
  if (thought) {
    const { text: said = "", signature } = thought.reasoningText ?? {}
    return [{ _tag: "Reasoning", text: said, ...present({ signature, redacted: thought.redactedContent }) }]
  }
  if (toolUse) {
    return [{ _tag: "ToolCall", id: toolUse.toolUseId, name: toolUse.name, arguments: JSON.stringify(toolUse.input) }]
  }
  if (!toolResult) return []
  return [
    {
      _tag: "ToolResult",
      callId: toolResult.toolUseId,
      content: toolResult.content.map((piece) => ({ _tag: "Text", text: piece.text ?? "" })),
      ...(toolResult.status === "error" ? { isError: true } : {})
    }
  ]
}

type ToolConfig = NonNullable<Body["toolConfig"]>

const toolOf = ({ toolSpec }: ToolConfig["tools"][number]): ReadonlyArray<FunctionTool> =>
  toolSpec
    ? [
        {
          _tag: "Function",
          name: toolSpec.name,
          ...present({ description: toolSpec.description }),
          inputSchema: toolSpec.inputSchema.json
        }
      ]
    : []

const choiceOf = (choice: ToolConfig["toolChoice"]): ToolChoice | undefined =>
  choice?.tool ? { _tag: "Tool", name: choice.tool.name } : choice?.any ? { _tag: "Required" } : undefined

/** The schema is a text here. */
const formatOf = (format: NonNullable<Body["outputConfig"]>["textFormat"]): ResponseFormat | undefined => {
  const { name, schema: text = "" } = format?.structure.jsonSchema ?? {}
  const schema = parseJson(text)
  return isObject(schema) ? { _tag: "JsonSchema", name: name ?? "answer", schema } : undefined
}
