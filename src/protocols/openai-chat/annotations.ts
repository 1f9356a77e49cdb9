import type { Schema } from "effect"
import type { Source } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { isIndex, textIn } from "./chunk.ts"
import { openAiChatId } from "./wire.ts"

/** The sources that are cited in a delta or message, and the annotations of other kinds. */
export const readAnnotations = (
  annotations: unknown
): { readonly sources: ReadonlyArray<Source>; readonly others: ReadonlyArray<Schema.Json> } => {
  const sources: Array<Source> = []
  const others: Array<Schema.Json> = []
  if (!Array.isArray(annotations)) return { sources, others }
  // What was parsed from JSON is JSON.
  for (const annotation of annotations as ReadonlyArray<Schema.Json>) {
    const cited = fieldsOf(annotation)["url_citation"]
    if (!isObject(annotation) || !isObject(cited)) others.push(annotation)
    else sources.push({ ...sourceOf(cited), origin: { protocol: openAiChatId, value: annotation } })
  }
  return { sources, others }
}

const sourceOf = (cited: JsonObject): Source => {
  const { start_index: start, end_index: end } = cited
  return {
    _tag: "Source",
    ...present({
      url: textIn(cited["url"]),
      title: textIn(cited["title"]),
      citedText: textIn(cited["content"]),
      start: isIndex(start) ? start : undefined,
      end: isIndex(end) ? end : undefined
    })
  }
}

/**
 * The sources that some servers list beside the choices, on every chunk again: addresses in `citations`, and with titles
 * in `search_results`.
 */
export const listedSources = (chunk: JsonObject): ReadonlyArray<Source> => {
  const { citations, search_results: results } = chunk
  const listed: ReadonlyArray<unknown> = Array.isArray(results) && results.length > 0 ? results : listOf(citations)
  return listed.flatMap((entry): ReadonlyArray<Source> => {
    const fields = isObject(entry) ? entry : { url: textIn(entry) ?? null }
    const url = textIn(fields["url"])
    return url === undefined ? [] : [{ _tag: "Source", url, ...present({ title: textIn(fields["title"]) }) }]
  })
}

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** The annotation as this format once wrote it, or a citation of the address; `shift` is where its text block begins. */
export const annotationOf = ({ origin, url, title, citedText, start, end }: Source, shift: number): JsonObject =>
  origin?.protocol === openAiChatId && isObject(origin.value)
    ? origin.value
    : {
        type: "url_citation",
        url_citation: {
          url: url ?? "",
          title: title ?? "",
          start_index: start === undefined ? 0 : start + shift,
          end_index: end === undefined ? 0 : end + shift,
          ...present({ content: citedText })
        }
      }
