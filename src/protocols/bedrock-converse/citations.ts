import type { Schema } from "effect"
import type { Source } from "../../domain/LlmEvent.ts"
import { isObject, present } from "../open-document.ts"
import { bedrockConverseId } from "./wire.ts"

const textsOf = (pieces: unknown): string | undefined => {
  if (!Array.isArray(pieces)) return undefined
  const texts = pieces.map((piece: unknown) =>
    isObject(piece) && typeof piece["text"] === "string" ? piece["text"] : ""
  )
  return texts.join("") || undefined
}

/** A citation, of the text block `block` or, where there is no text that it belongs to, of the answer. */
export const sourceOf = (citation: Schema.Json, block: string | undefined): Source => {
  const { title, source, sourceContent, location } = isObject(citation) ? citation : {}
  const web = isObject(location) ? location["web"] : undefined
  const url = isObject(web) ? web["url"] : source
  return {
    _tag: "Source",
    ...present({
      block,
      url: typeof url === "string" && /^https?:/i.test(url) ? url : undefined,
      title: typeof title === "string" ? title : undefined,
      citedText: textsOf(sourceContent)
    }),
    origin: { protocol: bedrockConverseId, value: citation }
  }
}
