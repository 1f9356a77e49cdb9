import type { ToolResultPart } from "../domain/LlmRequest.ts"
import type { Notices } from "./Notices.ts"

/**
 * The result of a tool for a format without a field for a failure: the model reads it in the text. The same result where
 * the tool did not fail.
 */
export const withToldFailure = (part: ToolResultPart, said: Notices): ToolResultPart => {
  if (part.isError !== true) return part
  said.add("emulated", "the failure of a tool is said in the text of its result")
  const [first, ...others] = part.content
  const { isError: _, ...result } = part
  if (first?._tag === "Text" && first.text !== "") {
    return { ...result, content: [{ ...first, text: `Error: ${first.text}` }, ...others] }
  }
  const silent = isSilent(part.content)
  const told = { _tag: "Text", text: silent ? "Error: the tool failed" : "Error:" } as const
  return { ...result, content: silent ? [told] : [told, ...part.content] }
}

/**
 * Whether the failure of a tool has to be told in its result even where a format has a field for it: those that have take
 * some words with a failure, and nothing but words.
 */
export const failedBeyondWords = ({ isError, content }: ToolResultPart): boolean =>
  isError === true && (content.some(({ _tag }) => _tag !== "Text") || isSilent(content))

const isSilent = (content: ToolResultPart["content"]): boolean =>
  content.every((piece) => piece._tag === "Text" && piece.text === "")
