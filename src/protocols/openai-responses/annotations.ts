import type { GeneratedLogprob, Source, TokenLogprob } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { openAiResponsesId } from "./wire.ts"

/** A citation of the answer as a source; the files of a hosted tool are known by their name only. */
export const sourceOf = (annotation: JsonObject, block: string): Source => {
  const string = (key: string) => (typeof annotation[key] === "string" ? annotation[key] : undefined)
  const offset = (key: string) => {
    const value = annotation[key]
    return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : undefined
  }
  return {
    _tag: "Source",
    block,
    ...present({
      url: string("url"),
      title: string("title") ?? string("filename"),
      start: offset("start_index"),
      end: offset("end_index")
    }),
    origin: { protocol: openAiResponsesId, value: annotation }
  }
}

/** The citation as this format once wrote it; a source from elsewhere is that of a page. */
export const annotationOf = ({ origin, url, title, start, end }: Source): JsonObject =>
  origin?.protocol === openAiResponsesId && isObject(origin.value)
    ? origin.value
    : { type: "url_citation", url: url ?? "", title: title ?? "", start_index: start ?? 0, end_index: end ?? 0 }

const tokenOf = (value: unknown): TokenLogprob | undefined => {
  if (!isObject(value)) return undefined
  const { token, logprob, bytes } = value
  if (typeof token !== "string" || typeof logprob !== "number") return undefined
  // Numbers that are no integers would not be bytes; the field is optional.
  return Array.isArray(bytes) && bytes.every((byte) => Number.isInteger(byte))
    ? { token, logprob, bytes: bytes as ReadonlyArray<number> }
    : { token, logprob }
}

/** The log probabilities of a text or a piece of it; undefined where there are none. */
export const logprobsOf = (value: unknown): ReadonlyArray<GeneratedLogprob> | undefined => {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const list = value.flatMap((entry): ReadonlyArray<GeneratedLogprob> => {
    const token = tokenOf(entry)
    if (token === undefined || !isObject(entry)) return []
    const { top_logprobs: top } = entry
    return [{ ...token, top: Array.isArray(top) ? top.flatMap((other) => tokenOf(other) ?? []) : [] }]
  })
  return unlessEmpty(list)
}

const renderToken = ({ token, logprob, bytes }: TokenLogprob): JsonObject => ({
  token,
  logprob,
  bytes: bytes ?? [...Buffer.from(token, "utf8")]
})

/** Log probabilities as this format writes them. */
export const renderLogprobs = (logprobs: ReadonlyArray<GeneratedLogprob>): ReadonlyArray<JsonObject> =>
  logprobs.map((entry) => ({ ...renderToken(entry), top_logprobs: entry.top.map(renderToken) }))
