import { failure, type FailureReason, type LlmError } from "../../domain/LlmError.ts"
import { present } from "../../domain/present.ts"
import { httpReason } from "../../protocols/HttpError.ts"

/**
 * What goes wrong with a simulated answer. `after` counts pieces of content (one delta of text, reasoning or tool
 * arguments) that still come: 0 is before anything of the answer. An answer that has fewer fails before its end.
 *
 * - `Status`: refused with an HTTP status.
 * - `Hang`: nothing ever comes, no head either. `Stall`: the stream falls silent and stays open.
 * - `Reset`: the connection breaks. `Truncate`: the stream ends without its ending.
 * - `Malformed`: a frame that is no JSON stands in the stream, which then goes on.
 * - `Error`: the stream ends with the format's own error event, as the error of `status`.
 */
export type Fault =
  | {
      readonly _tag: "Status"
      readonly status: number
      readonly message: string | undefined
      readonly retryAfterMs: number | undefined
    }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Stall" | "Reset" | "Truncate" | "Malformed"; readonly after: number }
  | { readonly _tag: "Error"; readonly after: number; readonly status: number; readonly message: string | undefined }

const reasonOf = (status: number, model: string): FailureReason =>
  status === 404 ? { _tag: "UnknownModel", model, near: [] } : httpReason(status)

/** The failure that a provider's answer of this status is. */
export const failureOfStatus = (
  status: number,
  model: string,
  more: { readonly message?: string | undefined; readonly retryAfterMs?: number | undefined } = {}
): LlmError =>
  failure(reasonOf(status, model), more.message ?? `simulated failure with status ${status}`, {
    fault: { status },
    ...present({ retryAfterMs: more.retryAfterMs })
  })

/** How a fault looks to a reader of events; undefined for those that are silence. */
export const failureOf = (fault: Fault, model: string): LlmError | undefined => {
  switch (fault._tag) {
    case "Status":
    case "Error":
      return failureOfStatus(fault.status, model, fault)
    case "Reset":
      return failure({ _tag: "Transport" }, "simulated: the connection was reset")
    case "Truncate":
      return failure(
        { _tag: "IncompleteStream", kind: fault.after === 0 ? "empty" : "noStop" },
        "simulated: the stream stopped without its ending"
      )
    case "Malformed":
      return failure({ _tag: "InvalidOutput", kind: "malformedFrame" }, "simulated: a frame that is not JSON")
    case "Hang":
    case "Stall":
      return undefined
  }
}
