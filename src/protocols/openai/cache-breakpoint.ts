import type { CacheMarker } from "../../domain/LlmRequest.ts"
import type { Marked } from "../Encoding.ts"
import { mark } from "../foreign-fields.ts"
import { isObject, type JsonObject } from "../open-document.ts"

/**
 * A cache marker in the words of OpenAI's two APIs, on a piece of input. Its lifetimes are no other provider's, so that it
 * is kept as it was written and is a marker without one elsewhere.
 */
export const breakpointField = "prompt_cache_breakpoint"
const breakpointMark = mark(breakpointField)

/** The marker of a piece of input, and the other fields that are not known of it. */
export const takeBreakpoint = (
  rest: JsonObject | undefined
): { readonly cache?: CacheMarker; readonly rest: JsonObject | undefined } => {
  const { [breakpointField]: breakpoint, ...others } = rest ?? {}
  return isObject(breakpoint) ? { cache: {}, rest: { ...others, [breakpointMark]: breakpoint } } : { rest }
}

/** What is kept of a piece, without its breakpoint. */
export const withoutBreakpoint = (fields: JsonObject): JsonObject => {
  const { [breakpointMark]: _, ...own } = fields
  return own
}

/** The models that know breakpoints, by their id wherever they are served. */
const known = /(^|\/)gpt-(5\.([6-9]|\d\d)|[6-9]|\d\d)/

/** The breakpoint as it was written in the format `own`. */
export const statedBreakpoint = ({ extensions }: Marked, own: string): JsonObject | undefined => {
  const stated = extensions?.[own]?.[breakpointMark]
  return isObject(stated) ? stated : undefined
}

/** The breakpoint of a piece that was marked in another format, for a model that knows such; undefined where there is none. */
export const breakpointFor = (part: Marked, model: string): JsonObject | undefined => {
  if (part.cache === undefined || !known.test(model)) return undefined
  return statedBreakpoint(part, "openai-chat") ?? statedBreakpoint(part, "openai-responses") ?? { mode: "explicit" }
}
