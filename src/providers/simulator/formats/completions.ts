import { Result, Schema } from "effect"
import type { FinishReason, LlmEvent } from "../../../domain/LlmEvent.ts"
import { textOf } from "../../../domain/LlmResponse.ts"
import type { Usage } from "../../../domain/Usage.ts"
import { present } from "../../../domain/present.ts"
import type { RenderContext } from "../../../protocols/Dialect.ts"
import { documentDecoder } from "../../../protocols/document.ts"
import { isObject, nullish, type JsonObject } from "../../../protocols/open-document.ts"
import { openAiErrorObject, renderOpenAiError } from "../../../protocols/openai/errors.ts"
import { openAiCompletionsId } from "../../../protocols/openai-completions/wire.ts"
import { sseFrame } from "../../../wire/Sse.ts"
import type { SimulatedDialect, SimulatedRenderer } from "../SimulatedDialect.ts"

const Texts = Schema.Union([Schema.String, Schema.Array(Schema.String)])

const decodeBody = documentDecoder(
  Schema.Struct({
    model: Schema.NonEmptyString,
    prompt: Texts,
    max_tokens: nullish(Schema.Natural),
    stop: nullish(Texts),
    n: nullish(Schema.Natural),
    stream: nullish(Schema.Boolean)
  })
)

/** What is written where nothing is said about how much, in tokens. */
const defaultMaxTokens = 16

const decode: SimulatedDialect["decode"] = (document) =>
  Result.map(decodeBody(document), ({ model, prompt, max_tokens: limit, stop, n, stream }) => ({
    request: {
      model,
      messages: [{ role: "user", parts: listOf(prompt).map((text) => ({ _tag: "Text", text }) as const) }],
      sampling: {
        maxOutputTokens: limit ?? defaultMaxTokens,
        ...present({ stopSequences: stop === undefined || stop === null ? undefined : listOf(stop), choices: n })
      }
    },
    delivery: stream === true ? "stream" : "whole"
  }))

const listOf = (texts: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof texts === "string" ? [texts] : texts

const headOf = ({ id, created, request }: RenderContext) => ({
  id,
  object: "text_completion",
  created,
  model: request.model
})

const finishReasons: { readonly [reason in FinishReason]?: string } = {
  length: "length",
  "content-filter": "content_filter"
}

/** A choice; `reason` is absent while it goes on. */
const choiceOf = (index: number, text: string, reason?: FinishReason) => ({
  text,
  index,
  logprobs: null,
  finish_reason: reason === undefined ? null : (finishReasons[reason] ?? "stop")
})

const usageOf = ({ inputTokens, outputTokens }: Usage) => ({
  ...present({ prompt_tokens: inputTokens, completion_tokens: outputTokens }),
  total_tokens: (inputTokens ?? 0) + (outputTokens ?? 0)
})

const renderer = (context: RenderContext): SimulatedRenderer => {
  const head = headOf(context)
  const options = context.origin?.body["stream_options"]
  const wantsUsage = isObject(options) && options["include_usage"] === true
  const chunk = (choices: ReadonlyArray<JsonObject>, more: JsonObject = {}) =>
    sseFrame(JSON.stringify({ ...head, choices, ...(wantsUsage ? { usage: null } : {}), ...more }))
  return {
    event: (event: LlmEvent) => {
      switch (event._tag) {
        case "TextDelta":
        case "RefusalDelta":
          return chunk([choiceOf(event.choice ?? 0, event.text)])
        case "ChoiceFinish":
          return chunk([choiceOf(event.choice, "", event.reason)])
        case "Finish":
          return chunk([choiceOf(0, "", event.reason)]) + (wantsUsage ? chunk([], { usage: usageOf(event.usage) }) : "")
        default:
          return ""
      }
    },
    end: () => sseFrame("[DONE]"),
    failure: (error) => sseFrame(JSON.stringify({ error: openAiErrorObject(error) }))
  }
}

/** The completions API that came before chat: texts only, so that nothing is thought and no tool is called. */
export const simulatedCompletions: SimulatedDialect = {
  id: openAiCompletionsId,
  decode,
  renderer,
  renderWhole: (response, context) => ({
    ...headOf(context),
    choices: response.choices.map((choice) => {
      const refusal = choice.parts.map((part) => (part._tag === "Refusal" ? part.text : "")).join("")
      return choiceOf(choice.index, textOf(choice) + refusal, choice.finish?.reason ?? "stop")
    }),
    usage: usageOf(response.usage)
  }),
  renderError: renderOpenAiError
}
