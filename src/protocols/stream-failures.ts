import { failure, type LlmError } from "../domain/LlmError.ts"

/** What came cannot be read: not JSON, or not a document of the format. */
export const malformedFrame: LlmError = failure(
  { _tag: "InvalidOutput", kind: "malformedFrame" },
  "the provider sent a frame that cannot be read"
)

/** The stream is over and its ending did not come; `started` says whether anything did. */
export const incompleteStream = (started: boolean): LlmError =>
  started
    ? failure({ _tag: "IncompleteStream", kind: "noStop" }, "the provider's stream stopped in the middle")
    : failure({ _tag: "IncompleteStream", kind: "empty" }, "the provider's stream ended before it began")

/** Many servers close every stream with the terminator of Chat Completions, whatever its format. */
export const isDoneSentinel = (data: string): boolean => data.trim() === "[DONE]"
