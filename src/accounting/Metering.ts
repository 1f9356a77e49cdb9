import { Effect } from "effect"
import type { LlmRequest } from "../domain/LlmRequest.ts"
import type { Usage } from "../domain/Usage.ts"
import { estimateInputTokens, estimateTextTokens } from "./TokenEstimate.ts"

/** What is known of an attempt when its call has ended. */
export interface Metered {
  /** what the provider stated */
  readonly usage: Usage
  /** whether the answer came to its end: until then a statement about the output is not the last one */
  readonly complete: boolean
  /** whether the provider took the request, so that something was used */
  readonly wasTaken: boolean
  /** in UTF-16 code units */
  readonly outputLength: number
}

/** Whether what the provider stated is all there is to know. */
export const isFullyStated = ({ complete, usage, wasTaken }: Metered): boolean =>
  !wasTaken || (complete && usage.inputTokens !== undefined && usage.outputTokens !== undefined)

/**
 * The usage of an attempt, with an estimate in place of what its provider did not state; it is then marked as estimated.
 * `sample` is text of the answer: what was generated is taken to have as many tokens for its length.
 */
export const fullUsage = (metered: Metered, request: LlmRequest, sample: string): Effect.Effect<Usage> => {
  const { complete, outputLength, usage } = metered
  if (isFullyStated(metered)) return Effect.succeed(usage)
  const input = usage.inputTokens === undefined ? estimateInputTokens(request) : Effect.succeed(usage.inputTokens)
  const output =
    complete && usage.outputTokens !== undefined
      ? Effect.succeed(usage.outputTokens)
      : Effect.map(estimateOutput(outputLength, sample), (tokens) => Math.max(tokens, usage.outputTokens ?? 0))
  return Effect.zipWith(input, output, (inputTokens, outputTokens) => ({
    ...usage,
    inputTokens,
    outputTokens,
    source: "estimated"
  }))
}

/** What texts have in most languages. */
const usualLengthOfToken = 4

const estimateOutput = (length: number, sample: string): Effect.Effect<number> => {
  if (length === 0) return Effect.succeed(0)
  if (sample === "") return Effect.succeed(Math.ceil(length / usualLengthOfToken))
  return Effect.map(estimateTextTokens(sample), (tokens) => Math.ceil((tokens * length) / sample.length))
}
