import type { LlmError } from "../domain/LlmError.ts"
import type { FallbackOn } from "./Policy.ts"

/** What there is left to try after a failure. */
export interface Left {
  /** how many more attempts the call may make */
  readonly attempts: number
  /** whether the same target may be asked once more in this round: it was asked once, and does not forbid it */
  readonly again: boolean
  readonly fallbackOn: ReadonlyArray<FallbackOn>
}

/**
 * What to do after a failure: ask the same target once more, ask another one, or end. Who is left alone until when:
 * until every other was asked (`round`), until nobody else can be asked (`others`), or for the rest of the call.
 */
export type NextStep =
  | { readonly _tag: "Again" }
  | { readonly _tag: "Another"; readonly leave: "key" | "target"; readonly until: LeftUntil }
  | { readonly _tag: "End" }

export type LeftUntil = "round" | "others" | "call"

const another = (leave: "key" | "target", until: LeftUntil): NextStep => ({ _tag: "Another", leave, until })
const again: NextStep = { _tag: "Again" }
const end: NextStep = { _tag: "End" }

/** Decides by the failure's reason alone. */
export const nextStep = ({ reason, class: failureClass }: LlmError, left: Left): NextStep => {
  if (left.attempts <= 0) return end
  switch (failureClass) {
    case "transient":
      return left.again ? again : another("target", "round")
    case "busy":
      // A limit is that of a key: another key of the same provider has its own.
      return another(reason._tag === "RateLimited" ? "key" : "target", "round")
    case "silent":
      return another("target", "others")
    case "target-permanent":
      return another(isOfKey(reason._tag) ? "key" : "target", "call")
    case "request-permanent":
      return reason._tag === "ContentBlocked" && left.fallbackOn.includes("content-blocked")
        ? another("target", "call")
        : end
    case "internal":
      return end
  }
}

const isOfKey = (reason: LlmError["reason"]["_tag"]): boolean =>
  reason === "Unauthorized" || reason === "PermissionDenied" || reason === "QuotaExceeded"
