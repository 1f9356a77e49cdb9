import type { LlmRequest } from "../domain/LlmRequest.ts"
import type { Notices } from "./Notices.ts"

/** The settings that not every format has, and whether a request says one of them; what goes without saying is not lost. */
const stated = {
  user: ({ user }: LlmRequest) => user !== undefined,
  metadata: ({ metadata }: LlmRequest) => metadata !== undefined,
  service_tier: ({ serviceTier }: LlmRequest) => serviceTier !== undefined,
  top_k: ({ sampling }: LlmRequest) => sampling.topK !== undefined,
  seed: ({ sampling }: LlmRequest) => sampling.seed !== undefined,
  frequency_penalty: ({ sampling }: LlmRequest) => (sampling.frequencyPenalty ?? 0) !== 0,
  presence_penalty: ({ sampling }: LlmRequest) => (sampling.presencePenalty ?? 0) !== 0,
  "stop sequences": ({ sampling }: LlmRequest) => (sampling.stopSequences ?? []).length > 0,
  n: ({ sampling }: LlmRequest) => (sampling.choices ?? 1) > 1,
  logprobs: ({ sampling }: LlmRequest) => sampling.logprobs === true,
  top_logprobs: ({ sampling }: LlmRequest) => (sampling.topLogprobs ?? 0) > 0
}

/** Says which settings of a request are lost in a format that lacks these. */
export const dropSettings = (request: LlmRequest, lacking: ReadonlyArray<keyof typeof stated>, said: Notices): void => {
  for (const name of lacking) if (stated[name](request)) said.dropped(name)
}
