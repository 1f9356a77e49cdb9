import { DateTime, Result, Schema } from "effect"
import { statusOf, type LlmError } from "../../../domain/LlmError.ts"
import type { FinishReason, LlmEvent } from "../../../domain/LlmEvent.ts"
import type { Usage } from "../../../domain/Usage.ts"
import { present } from "../../../domain/present.ts"
import type { RenderContext } from "../../../protocols/Dialect.ts"
import { documentDecoder } from "../../../protocols/document.ts"
import { geminiInteractionsId } from "../../../protocols/gemini-interactions/wire.ts"
import { nullish, type JsonObject } from "../../../protocols/open-document.ts"
import { argumentsObject } from "../../../protocols/ToolArguments.ts"
import { sseFrame } from "../../../wire/Sse.ts"
import type { SimulatedDialect, SimulatedRenderer } from "../SimulatedDialect.ts"
import { choiceOf, formatOf, messagesOf, StepDocument } from "./interaction-steps.ts"
import { partsOf, withoutRefusals } from "./refusals.ts"

const ToolDocument = Schema.Struct({
  type: Schema.String,
  name: nullish(Schema.String),
  description: nullish(Schema.String),
  parameters: nullish(Schema.Json)
})

const decodeBody = documentDecoder(
  Schema.Struct({
    model: Schema.NonEmptyString,
    input: Schema.Union([Schema.String, Schema.Array(StepDocument)]),
    system_instruction: nullish(Schema.String),
    tools: nullish(Schema.Array(ToolDocument)),
    generation_config: nullish(
      Schema.Struct({
        max_output_tokens: nullish(Schema.Natural),
        stop_sequences: nullish(Schema.Array(Schema.String)),
        tool_choice: nullish(Schema.Json)
      })
    ),
    response_format: nullish(Schema.Json),
    stream: nullish(Schema.Boolean)
  })
)

const decode: SimulatedDialect["decode"] = (document) =>
  Result.map(decodeBody(document), (body) => {
    const config = body.generation_config ?? {}
    const functions = (body.tools ?? []).filter(({ type }) => type === "function")
    const tools = functions.map(
      ({ name, description, parameters }) =>
        ({ _tag: "Function", name: name ?? "", ...present({ description, inputSchema: parameters }) }) as const
    )
    return {
      request: {
        model: body.model,
        messages: messagesOf(body.system_instruction ?? "", body.input),
        ...(tools.length === 0 ? {} : { tools }),
        ...present({ toolChoice: choiceOf(config.tool_choice), responseFormat: formatOf(body.response_format) }),
        sampling: present({ maxOutputTokens: config.max_output_tokens, stopSequences: config.stop_sequences })
      },
      delivery: body.stream === true ? "stream" : "whole"
    }
  })

const headOf = ({ id, request }: RenderContext) => ({ id, object: "interaction", model: request.model })

const endingOf = ({ created }: RenderContext, reason: FinishReason | undefined, usage: Usage) => {
  const { inputTokens = 0, outputTokens = 0, reasoningTokens = 0, cachedTokens = 0 } = usage
  return {
    created: DateTime.formatIso(DateTime.makeUnsafe(created * 1000)),
    status: reason === "tool-calls" ? "requires_action" : reason === "length" ? "incomplete" : "completed",
    usage: {
      total_input_tokens: inputTokens,
      total_cached_tokens: cachedTokens,
      // What was thought is counted apart.
      total_output_tokens: outputTokens - reasoningTokens,
      total_thought_tokens: reasoningTokens,
      total_tokens: inputTokens + outputTokens
    }
  }
}

class InteractionRenderer implements SimulatedRenderer {
  private readonly context: RenderContext
  private readonly indexes = new Map<string, number>()

  constructor(context: RenderContext) {
    this.context = context
  }

  event(event: LlmEvent): string {
    switch (event._tag) {
      case "Started":
        return frame("interaction.created", { interaction: { ...headOf(this.context), status: "in_progress" } })
      case "TextStart":
        return this.begin(event.id, { type: "model_output" })
      case "TextDelta":
        return this.delta(event.id, { type: "text", text: event.text })
      case "ReasoningStart":
        return this.begin(event.id, { type: "thought" })
      case "ReasoningDelta":
        return this.delta(event.id, { type: "thought_summary", content: { type: "text", text: event.text } })
      case "ReasoningEnd": {
        const { signature } = event
        const proof = signature === undefined ? "" : this.delta(event.id, { type: "thought_signature", signature })
        return proof + this.stop(event.id)
      }
      case "ToolInputStart":
        return this.begin(event.id, { type: "function_call", id: event.id, name: event.name, arguments: {} })
      case "ToolInputDelta":
        return this.delta(event.id, { type: "arguments_delta", arguments: event.text })
      case "TextEnd":
      case "ToolInputEnd":
        return this.stop(event.id)
      case "Finish":
        return frame("interaction.completed", {
          interaction: { ...headOf(this.context), ...endingOf(this.context, event.reason, event.usage) }
        })
      default:
        return ""
    }
  }

  end(): string {
    return sseFrame("[DONE]", "done")
  }

  failure(error: LlmError): string {
    return frame("error", errorDocument(error))
  }

  private begin(id: string, step: JsonObject): string {
    this.indexes.set(id, this.indexes.size)
    return frame("step.start", { index: this.indexOf(id), step })
  }

  private delta(id: string, delta: JsonObject): string {
    return frame("step.delta", { index: this.indexOf(id), delta })
  }

  private stop(id: string): string {
    return frame("step.stop", { index: this.indexOf(id) })
  }

  private indexOf(id: string): number {
    return this.indexes.get(id) ?? 0
  }
}

const frame = (type: string, fields: JsonObject): string =>
  sseFrame(JSON.stringify({ event_type: type, ...fields }), type)

const codeOf = ({ reason }: LlmError): string => {
  switch (reason._tag) {
    case "UnknownModel":
      return "model_not_found"
    case "Unauthorized":
      return "unauthenticated"
    case "PermissionDenied":
      return "permission_denied"
    case "QuotaExceeded":
      return "quota_exceeded"
    case "RateLimited":
      return "rate_limit_exceeded"
    case "Overloaded":
      return "unavailable"
    case "UpstreamServer":
    case "Internal":
      return "internal"
    case "InvalidRequest":
      return reason.kind === "notFound" ? "not_found" : "invalid_argument"
    default:
      return "invalid_argument"
  }
}

const errorDocument = (error: LlmError) => ({ error: { code: codeOf(error), message: error.message } })

/** Google's Interactions API. */
export const simulatedInteractions: SimulatedDialect = {
  id: geminiInteractionsId,
  decode,
  renderer: (context) => withoutRefusals(new InteractionRenderer(context)),
  renderWhole: (response, context) => ({
    ...headOf(context),
    steps: partsOf(response).flatMap((part): ReadonlyArray<JsonObject> => {
      switch (part._tag) {
        case "Text":
          return [{ type: "model_output", content: [{ type: "text", text: part.text }] }]
        case "Reasoning":
          return [
            {
              type: "thought",
              ...present({ signature: part.signature }),
              summary: [{ type: "text", text: part.text }]
            }
          ]
        case "ToolCall":
          return [{ type: "function_call", id: part.id, name: part.name, arguments: argumentsObject(part) }]
        default:
          return []
      }
    }),
    ...endingOf(context, response.choices[0]?.finish?.reason, response.usage)
  }),
  renderError: (error) => ({ status: statusOf(error), headers: {}, body: errorDocument(error) })
}
