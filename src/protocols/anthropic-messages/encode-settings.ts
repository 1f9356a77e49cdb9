import type { LlmRequest, Sampling } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { ClaudeTraits } from "../claude/traits.ts"
import { claudeSampling } from "../claude/sampling.ts"
import { planThinking } from "../claude/thinking.ts"
import type { Encoding } from "../Encoding.ts"
import { dropSettings } from "../LackingSettings.ts"
import { fieldsOf, unlessEmpty, type JsonObject } from "../open-document.ts"
import { ownExtension, thinkingWords } from "./extension.ts"

/** The output that is asked for where the caller set no limit, the API wants one, and the model's own is not known, in tokens. */
const defaultMaxTokens = 4096

/** What the API has no word for. */
const lacking = ["metadata", "seed", "frequency_penalty", "presence_penalty", "n", "logprobs", "top_logprobs"] as const

/** What decides about the settings beside the request. */
export interface Circumstances {
  readonly traits: ClaudeTraits
  readonly forced: boolean
  readonly thoughtless: boolean
  /** the schema that the answer is held to */
  readonly schema: JsonObject | undefined
}

/** How the answer is to be drawn, thought about and formed. */
export const encodeSettings = (
  request: LlmRequest,
  circumstances: Circumstances,
  encoding: Encoding
): JsonObject & { readonly max_tokens: number } => {
  const { sampling, extensions } = request
  dropSettings(request, lacking, encoding)
  const plan = planThinking(request, { ...circumstances, ...thinkingWords(ownExtension(extensions)) }, encoding)
  const config = outputConfig(request, plan.effort, circumstances.schema)
  return {
    max_tokens: maxTokensOf(sampling, plan.budget ?? 0, circumstances.traits, encoding),
    ...present({ thinking: plan.thinking, output_config: unlessEmpty(config) }),
    ...encodeSampling(sampling, plan.thinks, circumstances.traits, encoding)
  }
}

const maxTokensOf = (
  { maxOutputTokens }: Sampling,
  budget: number,
  { maxOutput }: ClaudeTraits,
  encoding: Encoding
): number => {
  if (maxOutputTokens !== undefined) return maxOutputTokens
  if (maxOutput !== undefined) return maxOutput
  encoding.dropped(
    "an unlimited output",
    `the Messages API wants max_tokens, and ${defaultMaxTokens + budget} were asked for`
  )
  return defaultMaxTokens + budget
}

const outputConfig = (
  { extensions }: LlmRequest,
  effort: string | undefined,
  schema: JsonObject | undefined
): JsonObject => {
  const own = ownExtension(extensions)["output_config"]
  const format = schema === undefined ? undefined : { type: "json_schema", schema }
  return { ...fieldsOf(own), ...present({ effort, format }) }
}

/** How tokens are drawn. A model that thinks draws them in its own way, and newer ones always do. */
const encodeSampling = (sampling: Sampling, thinks: boolean, traits: ClaudeTraits, encoding: Encoding): JsonObject => {
  const stops = sampling.stopSequences?.filter((sequence) => sequence.trim() !== "")
  if (stops?.length !== sampling.stopSequences?.length) {
    encoding.dropped("a stop sequence", "the Messages API refuses those of nothing but white space")
  }
  const temperature = encoding.within("temperature", sampling.temperature, 0, 1)
  return present({
    ...claudeSampling({ ...sampling, ...present({ temperature }) }, thinks, traits, encoding),
    stop_sequences: unlessEmpty(stops ?? [])
  })
}
