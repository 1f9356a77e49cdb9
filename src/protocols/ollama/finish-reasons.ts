import type { FinishReason } from "../../domain/LlmEvent.ts"
import { readingBy } from "../finish-reasons.ts"
import { table } from "../../domain/table.ts"

/** `load` and `unload` end an answer to a request without messages: nothing was generated, for no reason of a model's. */
const reasons: { readonly [doneReason: string]: FinishReason } = table({ stop: "stop", length: "length" })

/** What a done reason means. Calls of tools end with `stop` here. */
export const finishReasonOf = readingBy(reasons)
