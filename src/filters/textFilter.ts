import { Effect } from "effect"
import type { LlmRequest, Role } from "../domain/LlmRequest.ts"
import { present } from "../domain/present.ts"
import { eventSteps } from "./eventSteps.ts"
import type { FailurePolicy, Filter, FilterContext } from "./Filter.ts"
import type { BlockKind } from "./HoldBack.ts"
import { scanRequest } from "./requestTexts.ts"
import { ScanSteps } from "./ScanSteps.ts"
import type { TextScanner } from "./TextScanner.ts"
import { isEnding } from "./Verdict.ts"

/** Where a text stands: in the request (who said it) or the answer (which choice), and what it is. */
export interface TextPlace {
  readonly side: "request" | "answer"
  readonly kind: BlockKind
  /** the tool whose arguments it is */
  readonly tool: string | undefined
  readonly role: Role
  readonly choice: number
  /** the same object for all texts of one request or one answer */
  readonly whole: object
}

/** What makes a filter of text: a scanner for every text, made anew, on the sides that it looks at. */
export interface TextFilter {
  readonly name: string
  readonly sides: ReadonlyArray<TextPlace["side"]>
  /** the scanner for a text, or none where it is of no concern */
  readonly scanner: (place: TextPlace, context: FilterContext, request: LlmRequest) => TextScanner | undefined
  readonly onFailure?: FailurePolicy
}

/** A filter of the texts that flow, on the way there and back, whole or in pieces. It waits for nothing but more text. */
export const textFilter = ({ name, sides, scanner, onFailure }: TextFilter): Filter => ({
  name,
  // It has no way to wait, so that nothing watches it.
  timeout: 0,
  ...present({ onFailure }),
  ...(sides.includes("request")
    ? {
        request: (request, context) => {
          const scanned = scanRequest(request, (kind, role, tool) =>
            scanner({ side: "request", kind, tool, role, choice: 0, whole: request }, context, request)
          )
          return isEnding(scanned) ? scanned : Effect.succeed(scanned)
        }
      }
    : {}),
  ...(sides.includes("answer")
    ? {
        events: (request, context) =>
          eventSteps(() => {
            const whole = {}
            return new ScanSteps(({ kind, tool, choice }) =>
              scanner({ side: "answer", kind, tool, role: "assistant", choice, whole }, context, request)
            )
          })
      }
    : {})
})
