import type { LlmRequest, ReasoningSettings, Sampling } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { levelOf, planThinking, type ThinkingCircumstances } from "../claude/thinking.ts"
import type { JsonObject } from "../open-document.ts"
import type { ConverseEncoding } from "./encoding.ts"

/** How much a model may think, in the fields of its own API, and whether it is one of Claude's that thinks. */
export interface Thinking {
  readonly thinks: boolean
  readonly modelFields: JsonObject
}

/** How models that are none of Claude's are told how much to think. */
interface EffortForm {
  /** from the least to the most */
  readonly words: ReadonlyArray<string>
  readonly fieldsOf: (effort: string) => JsonObject
  /** the word that is refused beside any limit of the output and any wish of how to draw it */
  readonly unbound?: string
}

const flat = (effort: string): JsonObject => ({ reasoning_effort: effort })
const nested = (effort: string): JsonObject => ({ reasoning: { effort } })
const ofNova = (effort: string): JsonObject => ({
  reasoningConfig: effort === "none" ? { type: "disabled" } : { type: "enabled", maxReasoningEffort: effort }
})

const efforts: ReadonlyArray<string> = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]

const forms: ReadonlyArray<readonly [model: RegExp, form: EffortForm]> = [
  [/openai\.gpt-oss/, { words: ["low", "medium", "high"], fieldsOf: flat }],
  [/openai\.gpt-(5\.[6-9]|[6-9])/, { words: ["none", "low", "medium", "high", "xhigh", "max"], fieldsOf: nested }],
  [/openai\.gpt-5/, { words: efforts.slice(0, -1), fieldsOf: flat }],
  [/amazon\.nova-2-/, { words: ["none", "low", "medium", "high"], fieldsOf: ofNova, unbound: "high" }]
]

/** How much the model may think stands in the fields of its own API: the API has none that all models share. */
export const encodeThinking = (
  request: LlmRequest,
  model: string,
  circumstances: ThinkingCircumstances,
  encoding: ConverseEncoding
): Thinking => {
  const form = forms.find(([models]) => models.test(model))?.[1]
  if (form === undefined) {
    const { effort, thinking, thinks } = planThinking(request, circumstances, encoding)
    return {
      thinks,
      modelFields: present({ thinking, output_config: effort === undefined ? undefined : { effort } })
    }
  }
  const effort = request.reasoning === undefined ? undefined : effortOf(request.reasoning)
  const word = effort === undefined ? undefined : wordFor(effort, form, request.sampling, encoding)
  return { thinks: false, modelFields: word === undefined ? {} : form.fieldsOf(word) }
}

const effortOf = ({ mode, effort, budgetTokens }: ReasoningSettings): string | undefined => {
  if (mode === "disabled") return "none"
  return effort ?? levelOf(budgetTokens) ?? (mode === undefined ? undefined : "medium")
}

/** An effort in the words of the model: that which is asked for, or the next one that it knows. */
const wordFor = (
  effort: string,
  { unbound, words }: EffortForm,
  { maxOutputTokens, temperature, topP }: Sampling,
  encoding: ConverseEncoding
): string | undefined => {
  const least = efforts.indexOf(effort)
  if (least < 0) {
    encoding.dropped(`effort ${effort}`, "the model knows none of this name")
    return undefined
  }
  const near = words.find((word) => efforts.indexOf(word) >= least) ?? words.at(-1)
  const bound = near === unbound && (maxOutputTokens ?? temperature ?? topP) !== undefined
  const word = bound ? words[words.length - 2] : near
  if (word !== effort) encoding.add("changed", `the effort ${effort} is ${word}: ${bound ? unboundOnly : otherWords}`)
  return word
}

const otherWords = "the model knows no other one near it"
const unboundOnly = "more is for answers without a limit and without a temperature"
