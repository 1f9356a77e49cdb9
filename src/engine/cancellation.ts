import { failure, type LlmError } from "../domain/LlmError.ts"

/** Who ended a call before its answer did. */
export type CancelledBy = "client" | "caller" | "shutdown"

const messages: { readonly [by in CancelledBy]: string } = {
  client: "The client left",
  caller: "The call was cancelled",
  shutdown: "The server is shutting down"
}

/** The failure that a caller is told when somebody else cancelled the call. */
export const cancellation = (by: CancelledBy): LlmError => failure({ _tag: "Overloaded" }, messages[by])
