import type { Notice } from "../../domain/Call.ts"
import type { LlmEvent, Started } from "../../domain/LlmEvent.ts"
import type { Choice, LlmResponse, ResponsePart } from "../../domain/LlmResponse.ts"
import { present } from "../../domain/present.ts"
import type { RenderContext } from "../Dialect.ts"
import { ownFields } from "../extensions.ts"
import type { JsonObject } from "../open-document.ts"
import { withToldTier } from "../openai/account.ts"
import { endingOf } from "./finish-reasons.ts"
import { EventRenderer } from "./render-events.ts"
import { responseDocument } from "./response-document.ts"
import { openAiResponsesId } from "./wire.ts"

/** Renders a whole answer: its items are those that a stream of it would have ended with. */
export const renderWhole = (response: LlmResponse, context: RenderContext, notices: Array<Notice>): JsonObject => {
  const renderer = new EventRenderer(context)
  const choice = response.choices.find(({ index }) => index === 0)
  for (const event of choice === undefined ? [] : eventsOf(choice)) renderer.render(event)
  if (response.choices.some(({ index }) => index > 0)) renderer.notices.dropped("choices after the first")
  const { status, why } = endingOf(choice?.finish ?? { reason: "unknown" }, renderer.refused, renderer.notices)
  const output = renderer.output(status === "completed" ? "completed" : "incomplete")
  const head = withToldTier(headOf(response), renderer.notices)
  notices.push(...renderer.notices.list)
  const document = responseDocument(context, { head, status, why, output, usage: response.usage })
  return { ...document, ...ownFields(choice?.finish ?? {}, openAiResponsesId) }
}

const headOf = ({ id, model, created, serviceTier }: LlmResponse): Started => ({
  _tag: "Started",
  id,
  model,
  ...present({ created, serviceTier })
})

const eventsOf = ({ parts, sources }: Choice): ReadonlyArray<LlmEvent> => [
  ...parts.flatMap(partEvents),
  ...(sources ?? [])
]

/** The events that a part came from. */
const partEvents = (part: ResponsePart): ReadonlyArray<LlmEvent> => {
  switch (part._tag) {
    case "Text": {
      const { id, text, logprobs, origin } = part
      return [
        { _tag: "TextStart", id, ...present({ origin }) },
        { _tag: "TextDelta", id, text, ...present({ logprobs }) },
        { _tag: "TextEnd", id },
        ...(part.sources ?? []).map((source) => ({ ...source, block: id }))
      ]
    }
    case "Reasoning": {
      const { id, text, signature, redacted, origin } = part
      return [
        { _tag: "ReasoningStart", id, ...present({ origin, redacted }) },
        ...(text === "" ? [] : [{ _tag: "ReasoningDelta", id, text } as const]),
        { _tag: "ReasoningEnd", id, ...present({ origin, signature }) }
      ]
    }
    case "ToolCall": {
      const { arguments: _, valid: __, _tag, ...head } = part
      const { origin: ___, ...call } = part
      return [{ _tag: "ToolInputStart", ...head }, call]
    }
    case "Refusal":
      return [{ _tag: "RefusalDelta", text: part.text }]
    default:
      return [part]
  }
}
