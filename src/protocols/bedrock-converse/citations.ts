import type { Schema } from "effect"
import type { Source } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { anthropicMessagesId } from "../anthropic-messages/wire.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { bedrockConverseId } from "./wire.ts"

const textsOf = (pieces: unknown): string | undefined => {
  if (!Array.isArray(pieces)) return undefined
  const texts = pieces.map((piece: unknown) =>
    isObject(piece) && typeof piece["text"] === "string" ? piece["text"] : ""
  )
  return texts.join("") || undefined
}

/** The places of a citation, by what they are called here, in the words of the Messages API: its type, index, start and end. */
const places = {
  documentChar: ["char_location", "document_index", "start_char_index", "end_char_index"],
  documentPage: ["page_location", "document_index", "start_page_number", "end_page_number"],
  documentChunk: ["content_block_location", "document_index", "start_block_index", "end_block_index"],
  searchResultLocation: ["search_result_location", "search_result_index", "start_block_index", "end_block_index"]
} as const
type Place = keyof typeof places

const indexOf = (place: Place): string => (place === "searchResultLocation" ? "searchResultIndex" : "documentIndex")

const isPlace = (name: string): name is Place => Object.hasOwn(places, name)

/** A citation of something that the request held, as the Messages API writes it; undefined of any other. */
const claudeCitation = ({ title, source, sourceContent, location }: JsonObject): JsonObject | undefined => {
  const [name, place] = Object.entries(fieldsOf(location))[0] ?? []
  if (name === undefined || !isPlace(name) || !isObject(place)) return undefined
  const [type, index, start, end] = places[name]
  return {
    type,
    cited_text: textsOf(sourceContent) ?? "",
    [index]: place[indexOf(name)] ?? 0,
    ...(name === "searchResultLocation"
      ? { source: source ?? "", title: title ?? null }
      : { document_title: title ?? null, file_id: null }),
    [start]: place["start"] ?? 0,
    [end]: place["end"] ?? 0
  }
}

/**
 * A citation, of the text block `block` or, where there is no text that it belongs to, of the answer. One of something that
 * the request held is in the words of the Messages API, whose callers know no others.
 */
export const sourceOf = (citation: Schema.Json, block: string | undefined): Source => {
  const fields = fieldsOf(citation)
  const { title, source, sourceContent, location } = fields
  const web = fieldsOf(location)["web"]
  const url = isObject(web) ? web["url"] : source
  const claude = claudeCitation(fields)
  return {
    _tag: "Source",
    ...present({
      block,
      url: typeof url === "string" && /^https?:/i.test(url) ? url : undefined,
      title: typeof title === "string" ? title : undefined,
      citedText: textsOf(sourceContent)
    }),
    origin:
      claude === undefined
        ? { protocol: bedrockConverseId, value: citation }
        : { protocol: anthropicMessagesId, value: claude }
  }
}

/** A citation that a caller of the Messages API gives back; undefined of what the request did not hold. */
export const citationOf = (claude: Schema.Json): JsonObject | undefined => {
  if (!isObject(claude)) return undefined
  const { type, cited_text: text, document_title: document, title = document, source } = claude
  const [name, words] = Object.entries(places).find(([, [known]]) => known === type) ?? []
  if (name === undefined || words === undefined || !isPlace(name)) return undefined
  const [, index, start, end] = words
  return {
    ...present({ title, source }),
    sourceContent: [{ text: text ?? "" }],
    location: {
      [name]: { [indexOf(name)]: claude[index] ?? 0, start: claude[start] ?? 0, end: claude[end] ?? 0 }
    }
  }
}
