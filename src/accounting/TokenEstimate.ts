import { Effect } from "effect"
import type { LlmRequest, Message, Part, Tool } from "../domain/LlmRequest.ts"

/** What a message costs beside its text, and what a picture or a document counts as when nobody can be asked. */
const perMessage = 4
const perMedia = 1000

const textOfPart = (part: Part): string => {
  switch (part._tag) {
    case "Text":
    case "Reasoning":
    case "Refusal":
      return part.text
    case "ToolCall":
      return part.name + part.arguments
    case "ToolResult":
      return part.content.map(textOfPart).join("\n")
    case "Opaque":
      return JSON.stringify(part.value)
    case "Media":
      return ""
  }
}

const mediaIn = (parts: ReadonlyArray<Part>): number =>
  parts.reduce(
    (count, part) => count + (part._tag === "Media" ? 1 : part._tag === "ToolResult" ? mediaIn(part.content) : 0),
    0
  )

const textOfMessage = (message: Message): string => message.parts.map(textOfPart).join("\n")

const textOfTool = (tool: Tool): string =>
  tool._tag === "Function"
    ? `${tool.name} ${tool.description ?? ""} ${JSON.stringify(tool.inputSchema ?? {})}`
    : JSON.stringify(tool.value)

// The vocabulary takes 75 MB, so it is loaded when somebody first asks.
const encoding = Effect.promise(() => import("gpt-tokenizer/encoding/o200k_base")).pipe(Effect.cached, Effect.runSync)

/** Of a longer text so many characters are counted, and the rest is taken to be like them: counting stops everything else. */
const maxCounted = 64 * 1024

/** A text may hold what a vocabulary has for its marks, such as `<|im_end|>`: there it is text like any other. */
const asWritten = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }

/** How many tokens a text is, by the o200k vocabulary: close for most models, exact for few. */
export const estimateTextTokens = (text: string): Effect.Effect<number> =>
  Effect.map(encoding, ({ countTokens }) =>
    text.length <= maxCounted
      ? countTokens(text, asWritten)
      : Math.ceil((countTokens(text.slice(0, maxCounted), asWritten) * text.length) / maxCounted)
  )

/** How many input tokens a request is, where its provider cannot be asked. An estimate, never a bill. */
export const estimateInputTokens = (request: LlmRequest): Effect.Effect<number> => {
  const text = [...request.messages.map(textOfMessage), ...(request.tools ?? []).map(textOfTool)].join("\n")
  const media = request.messages.reduce((count, message) => count + mediaIn(message.parts), 0)
  return Effect.map(
    estimateTextTokens(text),
    (tokens) => tokens + perMessage * request.messages.length + perMedia * media
  )
}
