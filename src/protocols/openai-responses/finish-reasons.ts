import type { Finish, FinishReason } from "../../domain/LlmEvent.ts"
import { reasonWithCalls } from "../finish-reasons.ts"
import type { Notices } from "../Notices.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { table } from "../../domain/table.ts"

const incomplete: { readonly [reason: string]: FinishReason } = table({
  max_output_tokens: "length",
  max_tokens: "length",
  content_filter: "content-filter"
})

/** What a response says of its ending, as one word: its status, and why it is incomplete where it is. */
export const rawReasonOf = ({ status, incomplete_details: details }: JsonObject): string | undefined => {
  if (typeof status !== "string") return undefined
  const reason = fieldsOf(details)["reason"]
  return status === "incomplete" && typeof reason === "string" ? `${status}:${reason}` : status
}

/** What an ending means. */
export const finishReasonOf = (rawReason: string | undefined, calledTool: boolean): FinishReason => {
  const [status, why = ""] = rawReason?.split(":") ?? []
  return reasonWithCalls(status === "completed" ? "stop" : (incomplete[why] ?? "unknown"), calledTool)
}

type Finished = Pick<Finish, "reason" | "rawReason" | "stopSequence">

/** How an ending is said here: the status of the response, and the reason why it is incomplete. */
export interface Ending {
  readonly status: "completed" | "incomplete" | "failed"
  readonly why?: string
}

/**
 * The ending of a finish reason. `error` is an answer that is over and is none; nobody said more. An answer that was refused
 * is completed only where a refusal stands in it (`refused`): there is nothing else that says so.
 */
export const endingOf = (finish: Finished, refused: boolean, said: Notices): Ending => {
  const ending = wordsFor(finish, refused)
  said.stoppedAt(finish.stopSequence)
  const { status, why } = ending
  // Calls make the reason of an ending by themselves, and `failed` comes with an error that says more.
  if (finish.reason !== "tool-calls" && status !== "failed") {
    const word = why === undefined ? status : `${status}:${why}`
    said.ending(finish.reason, word, finishReasonOf(word, false))
  }
  return ending
}

const wordsFor = ({ reason, rawReason }: Finished, refused: boolean): Ending => {
  switch (reason) {
    case "length":
      return { status: "incomplete", why: "max_output_tokens" }
    case "content-filter":
      return { status: "incomplete", why: "content_filter" }
    case "refusal":
      return refused ? { status: "completed" } : { status: "incomplete", why: "content_filter" }
    case "error":
      return { status: "failed" }
    default: {
      const [status, why] = rawReason?.split(":") ?? []
      return status === "incomplete" && why !== undefined ? { status, why } : { status: "completed" }
    }
  }
}
