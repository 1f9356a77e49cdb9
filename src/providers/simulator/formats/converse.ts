import { Result } from "effect"
import type { LlmError } from "../../../domain/LlmError.ts"
import type { FinishReason, LlmEvent } from "../../../domain/LlmEvent.ts"
import type { Usage } from "../../../domain/Usage.ts"
import { present } from "../../../domain/present.ts"
import { bedrockConverseId } from "../../../protocols/bedrock-converse/wire.ts"
import type { JsonObject } from "../../../protocols/open-document.ts"
import { argumentsObject } from "../../../protocols/ToolArguments.ts"
import { awsEvent } from "../../../wire/AwsMessage.ts"
import type { SimulatedDialect, SimulatedRenderer } from "../SimulatedDialect.ts"
import { awsFailure, renderAwsError } from "./aws-errors.ts"
import { decodeBody, requestOf } from "./converse-request.ts"
import { partsOf, withoutRefusals } from "./refusals.ts"

const stopReasons: { readonly [reason in FinishReason]?: string } = {
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "content_filtered",
  refusal: "refusal"
}

const stopReasonOf = (reason: FinishReason | undefined): string => stopReasons[reason ?? "stop"] ?? "end_turn"

/** What came from the cache or went into it is not part of the input here. */
const usageOf = ({ inputTokens = 0, outputTokens = 0, cachedTokens, cacheWriteTokens }: Usage) => ({
  inputTokens: inputTokens - (cachedTokens ?? 0) - (cacheWriteTokens ?? 0),
  outputTokens,
  totalTokens: inputTokens + outputTokens,
  ...present({ cacheReadInputTokens: cachedTokens, cacheWriteInputTokens: cacheWriteTokens })
})

const metrics = { latencyMs: 1 }

class ConverseRenderer implements SimulatedRenderer {
  private readonly indexes = new Map<string, number>()

  event(event: LlmEvent): Buffer {
    switch (event._tag) {
      case "Started":
        return awsEvent("messageStart", { role: "assistant" })
      // Only tools are announced: a block of another kind begins with its first delta.
      case "TextStart":
      case "ReasoningStart":
        return this.begin(event.id)
      case "ToolInputStart":
        this.begin(event.id)
        return this.at(event.id, "contentBlockStart", { start: { toolUse: { toolUseId: event.id, name: event.name } } })
      case "TextDelta":
        return this.delta(event.id, { text: event.text })
      case "ReasoningDelta":
        return this.delta(event.id, { reasoningContent: { text: event.text } })
      case "ToolInputDelta":
        return this.delta(event.id, { toolUse: { input: event.text } })
      case "ReasoningEnd": {
        const { signature } = event
        const proof = signature === undefined ? nothing : this.delta(event.id, { reasoningContent: { signature } })
        return Buffer.concat([proof, this.at(event.id, "contentBlockStop", {})])
      }
      case "TextEnd":
      case "ToolInputEnd":
        return this.at(event.id, "contentBlockStop", {})
      case "Finish":
        return Buffer.concat([
          awsEvent("messageStop", { stopReason: stopReasonOf(event.reason) }),
          awsEvent("metadata", { usage: usageOf(event.usage), metrics })
        ])
      default:
        return nothing
    }
  }

  end(): Buffer {
    return nothing
  }

  failure(error: LlmError): Buffer {
    return awsFailure(error)
  }

  private begin(id: string): Buffer {
    this.indexes.set(id, this.indexes.size)
    return nothing
  }

  private delta(id: string, delta: JsonObject): Buffer {
    return this.at(id, "contentBlockDelta", { delta })
  }

  private at(id: string, type: string, fields: JsonObject): Buffer {
    return awsEvent(type, { contentBlockIndex: this.indexes.get(id) ?? 0, ...fields })
  }
}

const nothing = Buffer.alloc(0)

/** The Converse API of Amazon Bedrock; the model and the delivery are in the path. */
export const simulatedConverse: SimulatedDialect = {
  id: bedrockConverseId,
  decode: (document, path = { model: "", delivery: "whole" }) =>
    Result.map(decodeBody(document), (body) => ({ request: requestOf(body, path.model), delivery: path.delivery })),
  renderer: () => withoutRefusals(new ConverseRenderer()),
  renderWhole: (response) => {
    const content = partsOf(response).flatMap((part): ReadonlyArray<JsonObject> => {
      switch (part._tag) {
        case "Text":
          return [{ text: part.text }]
        case "Reasoning": {
          const { text, signature } = part
          return [{ reasoningContent: { reasoningText: { text, ...present({ signature }) } } }]
        }
        case "ToolCall":
          return [{ toolUse: { toolUseId: part.id, name: part.name, input: argumentsObject(part) } }]
        default:
          return []
      }
    })
    return {
      output: { message: { role: "assistant", content } },
      stopReason: stopReasonOf(response.choices[0]?.finish?.reason),
      usage: usageOf(response.usage),
      metrics
    }
  },
  renderError: renderAwsError,
  contentType: "application/vnd.amazon.eventstream"
}
