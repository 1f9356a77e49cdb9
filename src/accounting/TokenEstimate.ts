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

/**
 * How much is handed to the tokenizer at once, in UTF-16 code units. The time it takes grows with the square of a run of
 * letters or signs without a break: for a page of Chinese it would be half a minute.
 */
const maxPiece = 256

/** Where a piece ends that begins at `from`: before a word, where tokens begin as well, else between two characters. */
const endOfPiece = (text: string, from: number): number => {
  const end = from + maxPiece
  if (end >= text.length) return text.length
  for (let at = end; at > from + 1; at--) if (text[at] === " " && text[at - 1] !== " ") return at
  const next = text.charCodeAt(end)
  return next >= 0xdc00 && next <= 0xdfff ? end - 1 : end
}

/** How many tokens a text is, by the o200k vocabulary: close for most models, exact for few. */
export const estimateTextTokens = (text: string): Effect.Effect<number> =>
  Effect.map(encoding, ({ countTokens }) => {
    const counted = Math.min(text.length, maxCounted)
    let tokens = 0
    for (let from = 0; from < counted;) {
      const end = Math.min(endOfPiece(text, from), counted)
      tokens += countTokens(text.slice(from, end), asWritten)
      from = end
    }
    return text.length <= maxCounted ? tokens : Math.ceil((tokens * text.length) / maxCounted)
  })

/** How many input tokens a request is, where its provider cannot be asked. An estimate, never a bill. */
export const estimateInputTokens = (request: LlmRequest): Effect.Effect<number> => {
  const text = [...request.messages.map(textOfMessage), ...(request.tools ?? []).map(textOfTool)].join("\n")
  const media = request.messages.reduce((count, message) => count + mediaIn(message.parts), 0)
  return Effect.map(
    estimateTextTokens(text),
    (tokens) => tokens + perMessage * request.messages.length + perMedia * media
  )
}
