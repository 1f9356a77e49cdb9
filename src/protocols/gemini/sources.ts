import type { Schema } from "effect"
import type { Source } from "../../domain/LlmEvent.ts"
import { present } from "../../domain/present.ts"
import { isObject, unlessEmpty, type JsonObject } from "../open-document.ts"
import { geminiId } from "./wire.ts"

/** A block of text that offsets may count in. */
interface CitedText {
  readonly id: string
  readonly text: string
}
type Cited = ReadonlyArray<CitedText>

type Choice = { readonly choice?: number }

const list = (value: Schema.Json | undefined): ReadonlyArray<Schema.Json> => (Array.isArray(value) ? value : [])
const textOf = (value: Schema.Json | undefined): string | undefined => (typeof value === "string" ? value : undefined)
const webAddress = (value: Schema.Json | undefined): string | undefined =>
  typeof value === "string" && /^https?:/i.test(value) ? value : undefined

/**
 * The sources of an answer. Metadata is told again as it grows, and each source is an event only once. Offsets are bytes of
 * UTF-8 here and code units in the events.
 */
export class Sources {
  private readonly told = new Set<string>()

  /** The sources that grounding metadata adds: each passage with each of its sources, and sources of no passage. */
  grounding(metadata: JsonObject, cited: Cited, choice: Choice): ReadonlyArray<Source> {
    const chunks = list(metadata["groundingChunks"])
    const supports = list(metadata["groundingSupports"]).filter(isObject)
    const supported = supports.flatMap((support) =>
      list(support["groundingChunkIndices"]).map((index) => ({ index: Number(index), segment: support["segment"] }))
    )
    const alone = chunks.flatMap((_, index) => (supported.some((place) => place.index === index) ? [] : [{ index }]))
    const places: ReadonlyArray<{ readonly index: number; readonly segment?: Schema.Json | undefined }> = [
      ...supported,
      ...alone
    ]
    return places.flatMap(({ index, segment }) => {
      const chunk = chunks[index]
      if (!isObject(chunk)) return []
      const value = present({ chunk, segment })
      return this.once(index, value, { ...sourceOfChunk(chunk), ...placeOf(segment, cited) }, choice)
    })
  }

  /** The sources that citation metadata adds. */
  citations(metadata: JsonObject, cited: Cited, choice: Choice): ReadonlyArray<Source> {
    const citations = list(metadata["citations"] ?? metadata["citationSources"]).filter(isObject)
    return citations.flatMap((citation, index) =>
      this.once(
        index,
        citation,
        {
          ...present({ url: webAddress(citation["uri"]), title: textOf(citation["title"]) }),
          ...placeOf(citation, cited)
        },
        choice
      )
    )
  }

  private once(index: number, value: JsonObject, source: Partial<Source>, choice: Choice): ReadonlyArray<Source> {
    const key = `${index} ${JSON.stringify(value)}`
    if (this.told.has(key)) return []
    this.told.add(key)
    return [{ _tag: "Source", ...choice, ...source, origin: { protocol: geminiId, value } }]
  }
}

const sourceOfChunk = (chunk: JsonObject) => {
  const kind = [chunk["web"], chunk["retrievedContext"], chunk["maps"], chunk["image"]].find(isObject) ?? {}
  return present({
    url: webAddress(kind["uri"] ?? kind["sourceUri"]),
    title: textOf(kind["title"]),
    citedText: textOf(kind["text"])
  })
}

const placeOf = (segment: Schema.Json | undefined, cited: Cited): Partial<Source> => {
  const [only, ...others] = cited
  if (!isObject(segment) || only === undefined) return {}
  if (others.length > 0) return passageIn(segment, cited)
  const { startIndex = 0, endIndex } = segment
  if (typeof startIndex !== "number" || typeof endIndex !== "number") return { block: only.id }
  return { block: only.id, ...inCodeUnits(only.text, startIndex, endIndex) }
}

/** Offsets do not say in which of several texts they count. The passage itself does, where it stands in one place alone. */
const passageIn = ({ text: passage }: JsonObject, cited: Cited): Partial<Source> => {
  if (typeof passage !== "string" || passage === "") return {}
  const [block, ...others] = cited.filter(({ text }) => text.includes(passage))
  if (block === undefined || others.length > 0) return {}
  const start = block.text.indexOf(passage)
  const again = block.text.includes(passage, start + 1)
  return { block: block.id, ...(again ? {} : { start, end: start + passage.length }) }
}

const inCodeUnits = (text: string, start: number, end: number): Pick<Source, "start" | "end"> => {
  const bytes = Buffer.from(text)
  if (!(start >= 0 && start <= end && end <= bytes.length)) return {}
  const units = (offset: number) => (bytes.length === text.length ? offset : bytes.toString("utf8", 0, offset).length)
  return { start: units(start), end: units(end) }
}

/**
 * The first text of an answer, in which places can be told: clients count in the texts together, the API in the part (`part`,
 * where that is not the first one), and here both are the same.
 */
export interface FirstText extends CitedText {
  readonly part?: number
}

/** Where in the answer a source belongs; undefined where that cannot be told. */
const supportOf = (
  { block, start, end }: Source,
  index: number,
  first: FirstText | undefined
): JsonObject | undefined => {
  if (first === undefined || block !== first.id || start === undefined || end === undefined) return undefined
  const bytesTo = (offset: number) => Buffer.byteLength(first.text.slice(0, offset))
  const place = { startIndex: bytesTo(start), endIndex: bytesTo(end), text: first.text.slice(start, end) }
  return { segment: { ...present({ partIndex: first.part }), ...place }, groundingChunkIndices: [index] }
}

/** Sources of other formats as grounding metadata: what they cite and, as far as it can be told, where. */
export const groundingMetadata = (sources: ReadonlyArray<Source>, first: FirstText | undefined): JsonObject => {
  const supports = sources.flatMap((source, index) => supportOf(source, index, first) ?? [])
  return {
    groundingChunks: sources.map(({ url, title, citedText }) =>
      url === undefined
        ? { retrievedContext: present({ title, text: citedText }) }
        : { web: present({ uri: url, title }) }
    ),
    ...present({ groundingSupports: unlessEmpty(supports) })
  }
}
