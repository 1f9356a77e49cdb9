import type { Extensions } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { fieldsOf, isObject, unlessEmpty } from "../open-document.ts"

/** The two APIs of OpenAI. */
type Sibling = "openai-chat" | "openai-responses"
type Fields = Extensions[string]

const siblingOf = { "openai-chat": "openai-responses", "openai-responses": "openai-chat" } as const

/** What the two call alike. */
const sameNames: ReadonlyArray<string> = [
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "safety_identifier",
  "store",
  "stream_options"
]

const pick = (fields: Fields, isPicked: (name: string) => boolean): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name, value]) => isPicked(name) && value !== null))

/** How wordy the answer is to be stands by itself in Chat Completions, and beside the answer's form in the Responses API. */
const verbosityFor = (own: Sibling, { text, verbosity }: Fields): Fields => {
  const stated = own === "openai-responses" ? verbosity : fieldsOf(text)["verbosity"]
  if (stated === undefined || stated === null) return {}
  return own === "openai-responses" ? { text: { verbosity: stated } } : { verbosity: stated }
}

/** What only the Responses API knows of its cache: the response that another one is compared with. */
const comparison = "comparison_response_id"

/** How the prompt is to be cached, without what Chat Completions does not know of it. */
const cachedFor = (own: Sibling, { prompt_cache_options: options }: Fields): Fields => {
  if (own === "openai-responses" || !isObject(options) || !(comparison in options)) return {}
  const { [comparison]: _, ...known } = options
  return { prompt_cache_options: known }
}

/** What is left of a sibling's fields where the others were taken over. */
const withoutTaken = (own: Sibling, fields: Fields): Fields => {
  const { text, verbosity, ...others } = pick(fields, (name) => !sameNames.includes(name))
  if (own === "openai-responses") return text === undefined ? others : { ...others, text }
  const form = isObject(text) ? pick(text as Fields, (name) => name !== "verbosity") : {} // what stands in JSON
  const { [comparison]: compared } = fieldsOf(fields["prompt_cache_options"])
  return {
    ...others,
    ...present({ text: unlessEmpty(form), verbosity, [comparison]: compared ?? undefined })
  }
}

/** Extensions in which the settings that OpenAI's other API has as well are those of `own`. */
export const withSiblingFields = (extensions: Extensions | undefined, own: Sibling): Extensions | undefined => {
  const sibling = siblingOf[own]
  const fields = extensions?.[sibling]
  if (fields === undefined) return extensions
  const same = pick(fields, (name) => sameNames.includes(name))
  const taken = { ...same, ...cachedFor(own, fields), ...verbosityFor(own, fields) }
  if (Object.keys(taken).length === 0) return extensions
  return { ...extensions, [sibling]: withoutTaken(own, fields), [own]: { ...taken, ...extensions?.[own] } }
}
