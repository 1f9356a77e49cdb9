import type { Finish, FinishReason } from "../../domain/LlmEvent.ts"
import { reasonWithCalls } from "../finish-reasons.ts"
import type { Notices } from "../Notices.ts"
import { table } from "../../domain/table.ts"

const reasons: { readonly [finishReason: string]: FinishReason } = table({
  STOP: "stop",
  MAX_TOKENS: "length",
  // As much as one request may be answered with: the caller asks on with the token that stands beside it.
  CONTINUATION: "length",
  SAFETY: "content-filter",
  RECITATION: "content-filter",
  BLOCKLIST: "content-filter",
  PROHIBITED_CONTENT: "content-filter",
  SPII: "content-filter",
  LANGUAGE: "content-filter",
  MODEL_ARMOR: "content-filter",
  IMAGE_SAFETY: "content-filter",
  IMAGE_PROHIBITED_CONTENT: "content-filter",
  IMAGE_RECITATION: "content-filter",
  MALFORMED_FUNCTION_CALL: "error",
  MALFORMED_RESPONSE: "error",
  UNEXPECTED_TOOL_CALL: "error",
  TOO_MANY_TOOL_CALLS: "error",
  MISSING_THOUGHT_SIGNATURE: "error",
  NO_IMAGE: "error",
  IMAGE_OTHER: "error",
  FINISH_REASON_UNSPECIFIED: "unknown",
  OTHER: "unknown"
})

/** The numbers that mean the same in every edition of the API, and two that are content filters in each. */
const numbered: { readonly [finishReason: string]: FinishReason } = table({
  1: "stop",
  2: "length",
  3: "content-filter",
  4: "content-filter",
  7: "content-filter",
  8: "content-filter"
})

/** What a finish reason means. Of calls the API itself says only that it stopped. */
export const finishReasonOf = (finishReason: string | undefined, calledTool: boolean): FinishReason =>
  reasonWithCalls(reasons[finishReason ?? ""] ?? numbered[finishReason ?? ""] ?? "unknown", calledTool)

const finishReasons: { readonly [R in FinishReason]: string } = {
  stop: "STOP",
  length: "MAX_TOKENS",
  "tool-calls": "STOP",
  "content-filter": "SAFETY",
  refusal: "SAFETY",
  pause: "OTHER",
  error: "OTHER",
  unknown: "OTHER"
}

type Ending = Pick<Finish, "reason" | "rawReason" | "stopSequence">

/**
 * How an ending is said here. A raw reason of this format is kept where it means the same; a reason that has no word is
 * said in the nearest one and noticed.
 */
export const rawFinishReasonOf = (ending: Ending, refused: boolean, said: Notices): string => {
  const word = wordFor(ending, refused)
  said.stoppedAt(ending.stopSequence)
  // Calls make the reason of an ending by themselves, and a refusal in the text is noticed as such.
  if (!refused && ending.reason !== "tool-calls") said.ending(ending.reason, word, reasons[word] ?? "unknown")
  return word
}

const wordFor = ({ reason, rawReason }: Ending, refused: boolean): string => {
  if (refused && (reason === "stop" || reason === "unknown")) return finishReasons.refusal
  return rawReason !== undefined && reasons[rawReason] === reason ? rawReason : finishReasons[reason]
}
