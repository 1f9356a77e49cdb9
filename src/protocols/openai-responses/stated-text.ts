import { isObject, type JsonObject } from "../open-document.ts"
import { doneFields } from "./stream-events.ts"

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

const own: ReadonlyArray<string> = ["text", "refusal", "arguments", "input"]

/** What stands between the parts of reasoning where they are one text: each begins with a heading of its own. */
export const betweenParts = "\n\n"

/** What reasoning says: its summary, and the thoughts where they are told. */
export const textOfReasoning = ({ summary, content }: JsonObject): string =>
  [...list(summary), ...list(content)]
    .map(textOfItem)
    .filter((text) => text !== "")
    .join(betweenParts)

/** What an item or a piece of one says, as one text. */
export const textOfItem = (item: unknown): string => {
  if (!isObject(item)) return ""
  const { type, content } = item
  if (type === "message") return list(content).map(textOfItem).join("")
  if (type === "reasoning") return textOfReasoning(item)
  const field = own.find((name) => typeof item[name] === "string")
  return field === undefined || !says.test(String(type)) ? "" : String(item[field])
}

// Hosted tools and what is not known here are compared by nothing: they pass whole or not at all.
const says = /^(output_text|refusal|summary_text|reasoning_text|function_call|custom_tool_call)$/

/** What an event that ends something says was streamed before it; undefined where it says nothing of the kind. */
export const statedText = (event: JsonObject): string | undefined => {
  const type = String(event["type"])
  if (type in doneFields) {
    // The type was found in the table.
    const text = event[doneFields[type as keyof typeof doneFields]]
    return typeof text === "string" ? text : undefined
  }
  if (type === "response.content_part.done") return textOfItem(event["part"])
  return type === "response.output_item.done" ? textOfItem(event["item"]) : undefined
}
