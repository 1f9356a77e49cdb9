import type { Schema } from "effect"
import { isObject } from "../open-document.ts"

/** The passages of a document or a search result as one text; undefined where one of them is more than a text. */
export const textOfPassages = (content: Schema.Json | undefined): string | undefined => {
  if (typeof content === "string") return content
  if (!Array.isArray(content) || content.length === 0) return undefined
  const texts = content.map((passage) =>
    isObject(passage) && passage["type"] === "text" ? passage["text"] : undefined
  )
  return texts.every((text) => typeof text === "string") ? texts.join("\n\n") : undefined
}

/** The passages as they came, where they still say this text; undefined where it was changed. */
export const passagesOf = (content: Schema.Json | undefined, text: string): Schema.Json | undefined =>
  textOfPassages(content) === text ? content : undefined
