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
  const silent = part.content.every((piece) => piece._tag === "Text" && piece.text === "")
  const told = { _tag: "Text", text: silent ? "Error: the tool failed" : "Error:" } as const
  return { ...result, content: silent ? [told] : [told, ...part.content] }
}

/** Whether a tool failed and answered with more than words: who has a field for the failure may take nothing else with it. */
export const failedWithMedia = ({ isError, content }: ToolResultPart): boolean =>
  isError === true && content.some(({ _tag }) => _tag !== "Text")
