import type { Sampling } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Notices } from "../Notices.ts"

/** The models of OpenAI whose efforts end below `max`, by their id wherever they are served. */
const withoutMax = /(^|\/)(o\d|gpt-5(\.[0-5])?)(-|$)/

/** An effort as a model of OpenAI knows it: those up to GPT-5.5 refuse a request for more than `xhigh`. */
export const effortFor = (model: string, effort: string, said: Notices): string => {
  if (effort !== "max" || !withoutMax.test(model)) return effort
  said.add("changed", "reasoning effort max is xhigh")
  return "xhigh"
}

/** Whether a model is one of OpenAI's own, by its id wherever it is served; others serve `gpt-oss`. */
export const isOfOpenAi = (model: string): boolean => /(^|\/)(o\d|(chat)?gpt-(?!oss))/.test(model)

/** Those that reason if they are asked to, and those that always do. */
const reasoners = /(^|\/)(o\d|gpt-[5-9])(?!.*chat)/
export const isReasoner = (model: string): boolean => reasoners.test(model)
const alwaysReasons = /(^|\/)(o\d|gpt-5(?!\.\d)|gpt-[5-9][^/]*-(codex|pro))/

/**
 * How tokens are drawn by a model of OpenAI: while one reasons it refuses a request that says so. What it does anyway need
 * not be said.
 */
export const drawnBy = (model: string, effort: unknown, sampling: Sampling, said: Notices): Sampling => {
  const { temperature, topP, ...others } = sampling
  if ((temperature ?? topP) === undefined || !isReasoner(model)) return sampling
  const reasons = alwaysReasons.test(model) || (effort !== undefined && effort !== "none")
  const kept = (value: number | undefined, name: string): number | undefined => {
    if (value === undefined || value === 1) return undefined
    if (reasons) said.dropped(name, "the model takes none while it reasons")
    return reasons ? undefined : value
  }
  return { ...others, ...present({ temperature: kept(temperature, "temperature"), topP: kept(topP, "top_p") }) }
}
