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

/** What is left of a sibling's fields where the others were taken over. */
const withoutTaken = (own: Sibling, fields: Fields): Fields => {
  const { text, verbosity, ...others } = pick(fields, (name) => !sameNames.includes(name))
  if (own === "openai-responses") return text === undefined ? others : { ...others, text }
  const form = isObject(text) ? pick(text as Fields, (name) => name !== "verbosity") : {} // what stands in JSON
  return {
    ...others,
    ...present({ text: unlessEmpty(form), verbosity })
  }
}

/** Extensions in which the settings that OpenAI's other API has as well are those of `own`. */
export const withSiblingFields = (extensions: Extensions | undefined, own: Sibling): Extensions | undefined => {
  const sibling = siblingOf[own]
  const fields = extensions?.[sibling]
  if (fields === undefined) return extensions
  const taken = { ...pick(fields, (name) => sameNames.includes(name)), ...verbosityFor(own, fields) }
  if (Object.keys(taken).length === 0) return extensions
  return { ...extensions, [sibling]: withoutTaken(own, fields), [own]: { ...taken, ...extensions?.[own] } }
}
