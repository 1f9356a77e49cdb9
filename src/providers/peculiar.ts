import type { Delivery, LlmRequest } from "../domain/LlmRequest.ts"
import type { Quirks } from "../protocols/Protocol.ts"

/** What is peculiar to the models of a provider that are named so. */
export type PeculiarModels = ReadonlyArray<readonly [models: RegExp, quirks: Quirks]>

const none: PeculiarModels = []

/** What is peculiar about a model: what holds for all of its provider, and what for those that are named like it. */
export const quirksFor = (
  model: string,
  { quirks, peculiar = none }: { readonly quirks: Quirks; readonly peculiar?: PeculiarModels }
): Quirks => {
  let all = quirks
  for (const [models, more] of peculiar) if (models.test(model)) all = { ...all, ...more }
  return all
}

/** What is long for a server that answers only in streams what may be, in tokens. */
const long = 4096

/** How a server is asked to answer: in a stream where it would not answer otherwise, whose caller gets it whole. */
export const deliveryBy = (quirks: Quirks, asked: Delivery, { sampling }: LlmRequest): Delivery =>
  quirks.onlyStreams === true || (quirks.longStreams === true && (sampling.maxOutputTokens ?? 0) > long)
    ? "stream"
    : asked
