import { Effect } from "effect"
import type { EmbeddingAnswer, EmbeddingRequest } from "../../domain/Embedding.ts"
import type { LlmError } from "../../domain/LlmError.ts"
import { failureOf } from "./Fault.ts"
import type { Faults } from "./Faults.ts"
import { parseModelName } from "./ModelName.ts"
import { hash, seeded } from "./Seeded.ts"
import { tokensOf } from "./Tokens.ts"

const usualDimensions = 8

/** A vector of length 1 that follows from the seed alone. */
const unitVector = (seed: number, dimensions: number): ReadonlyArray<number> => {
  const random = seeded(seed)
  // Rounded to 32 bits, so that the same vector as base64 has the same numbers.
  const values = Array.from({ length: dimensions }, () => random() * 2 - 1)
  const norm = Math.hypot(...values)
  return values.map((value) => Math.fround(value / norm))
}

/**
 * Vectors for texts or tokens, from any simulated model: the same input gets the same vector, of 8 numbers unless the
 * request says how many. Of the model's options `seed`, `head` and every fault count; a fault is then no vectors at all.
 */
export const embedSimulated = (
  { model: name, input, dimensions = usualDimensions }: EmbeddingRequest,
  faults: Faults
): Effect.Effect<EmbeddingAnswer, LlmError> =>
  Effect.gen(function* () {
    const model = yield* Effect.fromResult(parseModelName(name))
    const { options } = model
    const fault = faults.next(name, options)
    if (fault?._tag === "Hang" || fault?._tag === "Stall") return yield* Effect.never
    if (options.headMs > 0) yield* Effect.sleep(options.headMs)
    const failed = fault === undefined ? undefined : failureOf(fault, name)
    if (failed !== undefined) return yield* failed
    const keys =
      input._tag === "Texts" ? input.texts : input.sequences.map((sequence) => `tokens ${sequence.join(" ")}`)
    const inputTokens =
      input._tag === "Texts"
        ? input.texts.reduce((sum, text) => sum + tokensOf(text).length, 0)
        : input.sequences.reduce((sum, sequence) => sum + sequence.length, 0)
    return {
      model: name,
      vectors: keys.map((key) => unitVector(hash(`${options.seed} ${key}`), dimensions)),
      usage: { inputTokens, source: "provider" },
      notices: []
    }
  })
