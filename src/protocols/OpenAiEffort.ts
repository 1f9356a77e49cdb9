import type { Notices } from "./Notices.ts"

/** The models of OpenAI whose efforts end below `max`, by their id wherever they are served. */
const withoutMax = /(^|\/)(o\d|gpt-5(\.[0-5])?)(-|$)/

/** An effort as a model of OpenAI knows it: those up to GPT-5.5 refuse a request for more than `xhigh`. */
export const effortFor = (model: string, effort: string, said: Notices): string => {
  if (effort !== "max" || !withoutMax.test(model)) return effort
  said.add("changed", "reasoning effort max is xhigh")
  return "xhigh"
}
