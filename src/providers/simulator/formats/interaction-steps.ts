import { Schema } from "effect"
import type { Message, ResponseFormat, ToolChoice } from "../../../domain/LlmRequest.ts"
import { present } from "../../../domain/present.ts"
import { fieldsOf, isObject, nullish } from "../../../protocols/open-document.ts"

const Content = Schema.Struct({ type: Schema.String, text: nullish(Schema.String), data: nullish(Schema.String) })

/** A step of the conversation; which of the fields it has depends on its type. */
export const StepDocument = Schema.Struct({
  type: Schema.String,
  content: nullish(Schema.Union([Schema.String, Schema.Array(Content)])),
  summary: nullish(Schema.Array(Content)),
  signature: nullish(Schema.String),
  id: nullish(Schema.String),
  call_id: nullish(Schema.String),
  name: nullish(Schema.String),
  arguments: nullish(Schema.Json),
  result: nullish(Schema.Json),
  is_error: nullish(Schema.Boolean)
})
type StepDocument = typeof StepDocument.Type

/** The conversation: what is said before it, and its steps, each a message. */
export const messagesOf = (
  instruction: string,
  input: string | ReadonlyArray<StepDocument>
): ReadonlyArray<Message> => {
  const steps = typeof input === "string" ? [{ type: "user_input", content: input }] : input
  const system: ReadonlyArray<Message> =
    instruction === "" ? [] : [{ role: "system", parts: [{ _tag: "Text", text: instruction }] }]
  return [...system, ...steps.flatMap(messageOf)]
}

const messageOf = (step: StepDocument): ReadonlyArray<Message> => {
  switch (step.type) {
    case "user_input":
      return [{ role: "user", parts: partsOf(step.content) }]
    case "model_output":
      return [{ role: "assistant", parts: partsOf(step.content) }]
    case "thought": {
      const text = (step.summary ?? []).map((piece) => piece.text ?? "").join("")
      return [{ role: "assistant", parts: [{ _tag: "Reasoning", text, ...present({ signature: step.signature }) }] }]
    }
    case "function_call": {
      const { id, name, arguments: input } = step
      const call = { id: id ?? "", name: name ?? "", arguments: JSON.stringify(input ?? {}) }
      return [{ role: "assistant", parts: [{ _tag: "ToolCall", ...call }] }]
    }
    case "function_result":
      return [{ role: "tool", parts: [resultOf(step)] }]
    default:
      return []
  }
}

const partsOf = (content: StepDocument["content"]): Message["parts"] =>
  (typeof content === "string" ? [{ type: "text", text: content }] : (content ?? [])).map((piece) =>
    piece.type === "text"
      ? { _tag: "Text", text: piece.text ?? "" }
      : { _tag: "Media", kind: piece.type === "image" ? "image" : "file", source: { _tag: "Base64", data: "" } }
  )

const resultOf = ({ call_id: callId, name, result, is_error: isError }: StepDocument): Message["parts"][number] => {
  const pieces = Array.isArray(result) ? result : [{ text: result }]
  const texts = pieces.flatMap((piece) => (isObject(piece) && typeof piece["text"] === "string" ? [piece["text"]] : []))
  return {
    _tag: "ToolResult",
    callId: callId ?? "",
    ...present({ name, isError }),
    content: texts.map((text) => ({ _tag: "Text", text }))
  }
}

/** `none`, `any`, or `{allowed_tools: {tools}}`. */
export const choiceOf = (choice: Schema.Json | undefined): ToolChoice | undefined => {
  if (choice === "none") return { _tag: "None" }
  if (choice === "any") return { _tag: "Required" }
  const allowed = fieldsOf(choice)["allowed_tools"]
  const [name] = isObject(allowed) && Array.isArray(allowed["tools"]) ? allowed["tools"] : []
  return typeof name === "string" ? { _tag: "Tool", name } : undefined
}

/** The format of the text, out of those of every kind of output. */
export const formatOf = (formats: Schema.Json | undefined): ResponseFormat | undefined => {
  const [format] = Array.isArray(formats) ? formats : [formats]
  if (!isObject(format) || format["mime_type"] !== "application/json") return undefined
  const { schema } = format
  return schema === undefined ? { _tag: "Json" } : { _tag: "JsonSchema", name: "answer", schema }
}
