import { failure, type LlmError } from "../../domain/LlmError.ts"
import type { Finish, FinishReason } from "../../domain/LlmEvent.ts"
import { readingBy } from "../finish-reasons.ts"
import type { Notices } from "../Notices.ts"
import { table } from "../../domain/table.ts"

const reasons: { readonly [stopReason: string]: FinishReason } = table({
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool-calls",
  pause_turn: "pause",
  // The context was compacted and the answer is to be asked for again: the turn is not over.
  compaction: "pause",
  refusal: "refusal"
})

/** What a stop reason means. */
export const finishReasonOf = readingBy(reasons)

const stopReasons: { readonly [R in FinishReason]: string } = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
  refusal: "refusal",
  pause: "pause_turn",
  // Told as an error, see below.
  error: "end_turn",
  // The answer is over and nobody said why.
  unknown: "end_turn"
}

/** An answer that its model failed to finish. There is no stop reason for that here, and every other one is a success. */
export const failsOn = ({ rawReason, reason }: Ending): LlmError | undefined =>
  reason !== "error"
    ? undefined
    : failure(
        { _tag: "InvalidOutput", kind: "failedEnding" },
        `The model failed to finish its answer${rawReason === undefined ? "" : ` (${rawReason})`}`
      )

type Ending = Pick<Finish, "reason" | "rawReason" | "stopSequence">

/**
 * How an ending is said here. A raw reason of this format is kept where it means the same; a reason that has no word is
 * said in the nearest one and noticed.
 */
export const stopReasonOf = (finish: Ending, refused: boolean, said: Notices): string => {
  const word = wordFor(finish, refused)
  // A refusal in the text is noticed as such; that the answer ended with it is what its stop reason says here.
  if (!refused) said.ending(finish.reason, word, reasons[word] ?? "unknown")
  return word
}

const wordFor = ({ reason, rawReason, stopSequence }: Ending, refused: boolean): string => {
  if (refused && (reason === "stop" || reason === "unknown")) return "refusal"
  if (rawReason !== undefined && reasons[rawReason] === reason) return rawReason
  return reason === "stop" && stopSequence !== undefined ? "stop_sequence" : stopReasons[reason]
}
