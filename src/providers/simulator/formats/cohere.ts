import { Result, Schema } from "effect"
import { statusOf, type LlmError } from "../../../domain/LlmError.ts"
import type { FinishReason, LlmEvent } from "../../../domain/LlmEvent.ts"
import type { Message, Part, ResponseFormat, ToolChoice } from "../../../domain/LlmRequest.ts"
import type { Usage } from "../../../domain/Usage.ts"
import { present } from "../../../domain/present.ts"
import type { RenderContext } from "../../../protocols/Dialect.ts"
import { documentDecoder } from "../../../protocols/document.ts"
import { cohereV2Id } from "../../../protocols/cohere-v2/wire.ts"
import { nullish, type JsonObject } from "../../../protocols/open-document.ts"
import { sseFrame } from "../../../wire/Sse.ts"
import type { SimulatedDialect, SimulatedRenderer } from "../SimulatedDialect.ts"
import { FunctionToolDocument, toolOf } from "./function-tools.ts"
import { partsOf, withoutRefusals } from "./refusals.ts"

/** Text or thinking; of other content it only counts that it is there. */
const Content = Schema.Struct({ type: Schema.String, text: nullish(Schema.String), thinking: nullish(Schema.String) })

const MessageDocument = Schema.Struct({
  role: Schema.Literals(["system", "user", "assistant", "tool"]),
  content: nullish(Schema.Union([Schema.String, Schema.Array(Content)])),
  tool_plan: nullish(Schema.String),
  tool_calls: nullish(
    Schema.Array(
      Schema.Struct({
        id: Schema.String,
        function: Schema.Struct({ name: Schema.String, arguments: Schema.String })
      })
    )
  ),
  tool_call_id: nullish(Schema.String)
})

const decodeBody = documentDecoder(
  Schema.Struct({
    model: Schema.NonEmptyString,
    messages: Schema.Array(MessageDocument),
    tools: nullish(Schema.Array(FunctionToolDocument)),
    tool_choice: nullish(Schema.Literals(["REQUIRED", "NONE"])),
    response_format: nullish(Schema.Struct({ type: Schema.String, json_schema: nullish(Schema.Json) })),
    max_tokens: nullish(Schema.Natural),
    stop_sequences: nullish(Schema.Array(Schema.String)),
    stream: nullish(Schema.Boolean)
  })
)

const decode: SimulatedDialect["decode"] = (document) =>
  Result.map(decodeBody(document), (body) => ({
    request: {
      model: body.model,
      messages: body.messages.map(messageOf),
      ...present({
        tools: body.tools?.map(toolOf),
        toolChoice: choiceOf(body.tool_choice),
        responseFormat: formatOf(body.response_format ?? undefined)
      }),
      sampling: present({ maxOutputTokens: body.max_tokens, stopSequences: body.stop_sequences })
    },
    delivery: body.stream === true ? "stream" : "whole"
  }))

const choiceOf = (choice: "REQUIRED" | "NONE" | null | undefined): ToolChoice | undefined =>
  choice === "NONE" ? { _tag: "None" } : choice === "REQUIRED" ? { _tag: "Required" } : undefined

const formatOf = (
  format: { readonly type: string; readonly json_schema?: Schema.Json } | undefined
): ResponseFormat | undefined => {
  if (format?.type !== "json_object") return undefined
  const schema = format.json_schema
  return schema === undefined || schema === null ? { _tag: "Json" } : { _tag: "JsonSchema", name: "answer", schema }
}

const contentOf = (content: (typeof MessageDocument.Type)["content"]): Message["parts"] =>
  typeof content === "string" ? [{ _tag: "Text", text: content }] : (content ?? []).map(partOf)

const partOf = ({ type, text, thinking }: typeof Content.Type): Part => {
  if (type === "text") return { _tag: "Text", text: text ?? "" }
  if (type === "thinking") return { _tag: "Reasoning", text: thinking ?? "" }
  return { _tag: "Media", kind: "image", source: { _tag: "Base64", data: "" } }
}

const messageOf = ({ role, content, ...message }: typeof MessageDocument.Type): Message => {
  const parts = contentOf(content)
  if (role === "tool") {
    const said = parts.filter((part) => part._tag === "Text")
    return { role, parts: [{ _tag: "ToolResult", callId: message.tool_call_id ?? "", content: said }] }
  }
  const plan: Message["parts"] = message.tool_plan ? [{ _tag: "Reasoning", text: message.tool_plan }] : []
  const calls = (message.tool_calls ?? []).map(({ id, function: call }) => ({ _tag: "ToolCall", id, ...call }) as const)
  return { role, parts: [...plan, ...parts, ...calls] }
}

const finishReasonOf = (reason: FinishReason | undefined): string =>
  reason === "length" ? "MAX_TOKENS" : reason === "tool-calls" ? "TOOL_CALL" : "COMPLETE"

const usageOf = ({ inputTokens, outputTokens, reasoningTokens, cachedTokens }: Usage) => ({
  tokens: present({ input_tokens: inputTokens, output_tokens: outputTokens, reasoning_tokens: reasoningTokens }),
  ...present({ cached_tokens: cachedTokens })
})

class CohereRenderer implements SimulatedRenderer {
  private readonly context: RenderContext
  /** the index of the open block; contents and calls are counted apart */
  private readonly indexes = new Map<string, number>()
  private contents = 0
  private calls = 0

  constructor(context: RenderContext) {
    this.context = context
  }

  event(event: LlmEvent): string {
    switch (event._tag) {
      case "Started":
        return frame("message-start", {
          id: this.context.id,
          ...delta({ role: "assistant", content: [], tool_plan: "", tool_calls: [], citations: [] })
        })
      case "TextStart":
        return this.begin("content-start", event.id, this.contents++, { content: { type: "text", text: "" } })
      case "ReasoningStart":
        return this.begin("content-start", event.id, this.contents++, { content: { type: "thinking", thinking: "" } })
      case "TextDelta":
        return this.piece("content-delta", event.id, { content: { text: event.text } })
      case "ReasoningDelta":
        return this.piece("content-delta", event.id, { content: { thinking: event.text } })
      case "ToolInputDelta":
        return this.piece("tool-call-delta", event.id, { tool_calls: { function: { arguments: event.text } } })
      case "TextEnd":
      case "ReasoningEnd":
        return frame("content-end", { index: this.indexes.get(event.id) ?? 0 })
      case "ToolInputStart":
        return this.begin("tool-call-start", event.id, this.calls++, {
          tool_calls: { id: event.id, type: "function", function: { name: event.name, arguments: "" } }
        })
      case "ToolInputEnd":
        return frame("tool-call-end", { index: this.indexes.get(event.id) ?? 0 })
      case "Finish":
        return frame("message-end", {
          delta: { finish_reason: finishReasonOf(event.reason), usage: usageOf(event.usage) }
        })
      default:
        return ""
    }
  }

  end(): string {
    return sseFrame("[DONE]")
  }

  failure(error: LlmError): string {
    return frame("message-end", { delta: { finish_reason: "ERROR", error: error.message } })
  }

  private begin(type: string, id: string, index: number, message: JsonObject): string {
    this.indexes.set(id, index)
    return this.piece(type, id, message)
  }

  private piece(type: string, id: string, message: JsonObject): string {
    return frame(type, { index: this.indexes.get(id) ?? 0, ...delta(message) })
  }
}

const delta = (message: JsonObject) => ({ delta: { message } })

const frame = (type: string, fields: JsonObject): string => sseFrame(JSON.stringify({ type, ...fields }), type)

/** Version 2 of Cohere's chat API. */
export const simulatedCohere: SimulatedDialect = {
  id: cohereV2Id,
  decode,
  renderer: (context) => withoutRefusals(new CohereRenderer(context)),
  renderWhole: (response, { id }) => {
    const parts = partsOf(response)
    const content = parts.flatMap((part): ReadonlyArray<JsonObject> => {
      if (part._tag === "Text") return [{ type: "text", text: part.text }]
      return part._tag === "Reasoning" ? [{ type: "thinking", thinking: part.text }] : []
    })
    const calls = parts.flatMap((part) =>
      part._tag === "ToolCall"
        ? [{ id: part.id, type: "function", function: { name: part.name, arguments: part.arguments } }]
        : []
    )
    return {
      id,
      finish_reason: finishReasonOf(response.choices[0]?.finish?.reason),
      message: { role: "assistant", content, ...(calls.length === 0 ? {} : { tool_calls: calls }) },
      usage: usageOf(response.usage)
    }
  },
  renderError: (error, id) => ({
    status: statusOf(error),
    headers: {},
    body: {
      id,
      message:
        error.reason._tag === "UnknownModel"
          ? `model '${error.reason.model}' not found: ${error.message}`
          : error.message
    }
  })
}
