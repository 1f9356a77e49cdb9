import { DateTime, Result, Schema } from "effect"
import { statusOf, type LlmError } from "../../../domain/LlmError.ts"
import type { FinishReason, LlmEvent } from "../../../domain/LlmEvent.ts"
import type { Message, ResponseFormat } from "../../../domain/LlmRequest.ts"
import type { Usage } from "../../../domain/Usage.ts"
import { present } from "../../../domain/present.ts"
import type { RenderContext } from "../../../protocols/Dialect.ts"
import { documentDecoder } from "../../../protocols/document.ts"
import { ollamaId } from "../../../protocols/ollama/wire.ts"
import { isObject, nullish, type JsonObject } from "../../../protocols/open-document.ts"
import { argumentsObject } from "../../../protocols/ToolArguments.ts"
import type { SimulatedDialect, SimulatedRenderer } from "../SimulatedDialect.ts"
import { FunctionToolDocument, toolOf } from "./function-tools.ts"
import { partsOf } from "./refusals.ts"

const MessageDocument = Schema.Struct({
  role: Schema.Literals(["system", "user", "assistant", "tool"]),
  content: nullish(Schema.String),
  thinking: nullish(Schema.String),
  images: nullish(Schema.Array(Schema.String)),
  tool_calls: nullish(
    Schema.Array(
      Schema.Struct({
        id: nullish(Schema.String),
        function: Schema.Struct({ name: Schema.String, arguments: nullish(Schema.Json) })
      })
    )
  ),
  tool_name: nullish(Schema.String),
  tool_call_id: nullish(Schema.String)
})

const decodeBody = documentDecoder(
  Schema.Struct({
    model: Schema.NonEmptyString,
    messages: Schema.Array(MessageDocument),
    tools: nullish(Schema.Array(FunctionToolDocument)),
    format: nullish(Schema.Json),
    options: nullish(Schema.Struct({ num_predict: nullish(Schema.Int), stop: nullish(Schema.Array(Schema.String)) })),
    stream: nullish(Schema.Boolean)
  })
)

const decode: SimulatedDialect["decode"] = (document) =>
  Result.map(decodeBody(document), ({ model, messages, tools, format, options, stream }) => {
    const limit = options?.num_predict ?? -1
    return {
      request: {
        model,
        messages: messages.map(messageOf),
        ...present({ tools: tools?.map(toolOf), responseFormat: formatOf(format) }),
        sampling: present({ maxOutputTokens: limit >= 0 ? limit : undefined, stopSequences: options?.stop })
      },
      // A stream is what this API answers where it is not told otherwise.
      delivery: stream === false ? "whole" : "stream"
    }
  })

const messageOf = (message: typeof MessageDocument.Type): Message => {
  const { role, content, thinking, images, tool_calls: calls, tool_name: name, tool_call_id: callId } = message
  const text: Message["parts"] = content ? [{ _tag: "Text", text: content }] : []
  if (role === "tool") {
    const result = {
      callId: callId ?? name ?? "",
      ...present({ name }),
      content: [{ _tag: "Text" as const, text: content ?? "" }]
    }
    return { role, parts: [{ _tag: "ToolResult", ...result } as const] }
  }
  return {
    role,
    parts: [
      ...(thinking ? [{ _tag: "Reasoning", text: thinking } as const] : []),
      ...text,
      ...(images ?? []).map((data) => ({ _tag: "Media", kind: "image", source: { _tag: "Base64", data } }) as const),
      ...(calls ?? []).map(({ id, function: call }, index) => ({
        _tag: "ToolCall" as const,
        id: id ?? `call_${index}`,
        name: call.name,
        arguments: JSON.stringify(call.arguments ?? {})
      }))
    ]
  }
}

const formatOf = (format: Schema.Json | undefined): ResponseFormat | undefined =>
  format === "json"
    ? { _tag: "Json" }
    : isObject(format)
      ? { _tag: "JsonSchema", name: "answer", schema: format }
      : undefined

/** The fields of every document of an answer. */
const headOf = ({ created, request }: RenderContext) => ({
  model: request.model,
  created_at: DateTime.formatIso(DateTime.makeUnsafe(created * 1000))
})

const endingOf = (reason: FinishReason | undefined, { inputTokens, outputTokens }: Usage) => ({
  done: true,
  // Calls of tools, and a model that declines, stop.
  done_reason: reason === "length" ? "length" : "stop",
  ...present({ prompt_eval_count: inputTokens, eval_count: outputTokens })
})

const callOf = (call: { readonly id: string; readonly name: string; readonly arguments: string }) => ({
  id: call.id,
  function: { name: call.name, arguments: argumentsObject(call) }
})

const renderer = (context: RenderContext): SimulatedRenderer => {
  const head = headOf(context)
  const line = (message: JsonObject, more: JsonObject = { done: false }) =>
    `${JSON.stringify({ ...head, message: { role: "assistant", content: "", ...message }, ...more })}\n`
  return {
    event: (event: LlmEvent) => {
      switch (event._tag) {
        case "TextDelta":
        case "RefusalDelta":
          return line({ content: event.text })
        case "ReasoningDelta":
          return line({ thinking: event.text })
        case "ToolCall":
          return line({ tool_calls: [callOf(event)] })
        case "Finish":
          return line({}, endingOf(event.reason, event.usage))
        default:
          return ""
      }
    },
    end: () => "",
    failure: (error) => `${JSON.stringify(errorDocument(error))}\n`
  }
}

const errorDocument = ({ reason, message, fault }: LlmError) => ({
  error: reason._tag === "UnknownModel" ? `model '${reason.model}' not found: ${message}` : message,
  ...present({ status: fault?.status })
})

/** Ollama's chat API: lines of JSON, calls of tools whole, thinking without a proof. */
export const simulatedOllama: SimulatedDialect = {
  id: ollamaId,
  decode,
  renderer,
  renderWhole: (response, context) => {
    const parts = partsOf(response)
    const thinking = parts.map((part) => (part._tag === "Reasoning" ? part.text : "")).join("")
    const calls = parts.flatMap((part) => (part._tag === "ToolCall" ? [callOf(part)] : []))
    const content = parts.map((part) => (part._tag === "Text" ? part.text : "")).join("")
    return {
      ...headOf(context),
      message: {
        role: "assistant",
        content,
        ...(thinking === "" ? {} : { thinking }),
        ...(calls.length === 0 ? {} : { tool_calls: calls })
      },
      ...endingOf(response.choices[0]?.finish?.reason, response.usage)
    }
  },
  renderError: (error) => ({ status: statusOf(error), headers: {}, body: { error: errorDocument(error).error } }),
  contentType: "application/x-ndjson"
}
