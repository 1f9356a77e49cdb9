import type { Schema } from "effect"
import { Base64 } from "effect/encoding"
import type { FunctionTool, LlmRequest, Message, Part } from "../../domain/LlmRequest.ts"
import { amongOf } from "../../protocols/ToolSubset.ts"
import { limitAnswer, type Answer, type Piece } from "./Answer.ts"
import type { SimulatedModel } from "./ModelName.ts"
import { valueFor } from "./SchemaValue.ts"
import { hash, words } from "./Seeded.ts"
import { tokensOf } from "./Tokens.ts"

const wordsAfterReasoning = 20
const mostChoices = 128

/** What a simulated model answers to a request, one answer for each choice asked for. The same every time. */
export const answersOf = (model: SimulatedModel, request: LlmRequest): ReadonlyArray<Answer> =>
  Array.from({ length: Math.min(Math.max(1, request.sampling.choices ?? 1), mostChoices) }, (_, choice) => {
    const seed = model.options.seed + choice
    const whole = goingOn(answer(model, request, seed), request.messages)
    return limitAnswer(withReasoning(whole, model, seed), request.sampling)
  })

const answer = (model: SimulatedModel, request: LlmRequest, seed: number): Answer => {
  switch (model.base) {
    case "echo":
      return say(tokensOf(lastUserText(request.messages)))
    case "words":
      return say(words(seed, model.count))
    case "length":
      return { ...say(words(seed, model.count)), finish: "length" }
    case "think":
      return say(words(seed + 1, wordsAfterReasoning))
    case "fast":
      return say(Array.from({ length: model.count }, () => "fast "))
    case "tools":
      return callTools(model, request, seed)
    case "json":
      return say(tokensOf(JSON.stringify(structured(request, seed))))
    case "refuse":
      return { pieces: [{ _tag: "Refusal", tokens: tokensOf("I will not answer this.") }], finish: "refusal" }
    case "empty":
      return { pieces: [], finish: "stop" }
  }
}

/** What is left of an answer whose beginning the conversation ends with. */
const goingOn = (answer: Answer, messages: ReadonlyArray<Message>): Answer => {
  const last = messages.at(-1)
  const [piece] = answer.pieces
  if (last?.role !== "assistant" || piece?._tag !== "Text") return answer
  const given = last.parts.map(textOfPart).join("")
  if (given === "" || !piece.tokens.join("").startsWith(given)) return answer
  let skipped = given.length
  const tokens = piece.tokens.flatMap((token) => {
    const left = token.slice(skipped)
    skipped = Math.max(0, skipped - token.length)
    return left === "" ? [] : [left]
  })
  return { ...answer, ...say(tokens), finish: answer.finish }
}

const say = (tokens: ReadonlyArray<string>): Answer => ({
  pieces: tokens.length === 0 ? [] : [{ _tag: "Text", tokens }],
  finish: "stop"
})

const withReasoning = (answer: Answer, model: SimulatedModel, seed: number): Answer => {
  const count = model.options.think ?? (model.base === "think" ? model.count : 0)
  if (count === 0) return answer
  const tokens = words(seed, count)
  const signature = Base64.encode(`simulated reasoning ${hash(tokens.join("")).toString(16)}`)
  return { ...answer, pieces: [{ _tag: "Reasoning", tokens, signature }, ...answer.pieces] }
}

const textOfPart = (part: Part): string => {
  switch (part._tag) {
    case "Text":
    case "Refusal":
      return part.text
    case "Media":
      return `(${part.kind})`
    case "ToolResult":
      return part.content.map(textOfPart).join("")
    default:
      return ""
  }
}

const lastUserText = (messages: ReadonlyArray<Message>): string =>
  messages
    .findLast((message) => message.role === "user")
    ?.parts.map(textOfPart)
    .join("") ?? ""

const structured = (request: LlmRequest, seed: number): Schema.Json => {
  const format = request.responseFormat
  return format?._tag === "JsonSchema"
    ? valueFor(format.schema, seed)
    : { answer: words(seed, 6).join(""), seed, simulated: true }
}

/** The results of tools since the model last spoke; empty unless the conversation ends with them. */
const pendingResults = (messages: ReadonlyArray<Message>) =>
  messages
    .slice(messages.findLastIndex((message) => message.role === "assistant") + 1)
    .flatMap((message) => message.parts)
    .filter((part) => part._tag === "ToolResult")

const callTools = (model: SimulatedModel, request: LlmRequest, seed: number): Answer => {
  const results = pendingResults(request.messages)
  if (results.length > 0) {
    const names = toolNames(request.messages)
    const said = results.map((result) => {
      const name = result.name ?? names.get(result.callId) ?? result.callId
      return `${name} ${result.isError === true ? "failed" : "said"}: ${textOfPart(result)}`
    })
    return say(tokensOf(said.join("\n")))
  }
  const tools = chooseTools(request).slice(0, model.count)
  if (tools.length === 0) return say(tokensOf("There is no tool that I may call."))
  const pieces = tools.map((tool, index): Piece => {
    const text = JSON.stringify(argumentsFor(tool, seed + index))
    // Unique in a conversation as long as it grows between two calls.
    const id = `call_${hash(`${seed} ${request.messages.length} ${tool.name}`).toString(36)}_${index}`
    return { _tag: "ToolCall", id, name: tool.name, tokens: tokensOf(text), complete: true }
  })
  return { pieces, finish: "tool-calls" }
}

const toolNames = (messages: ReadonlyArray<Message>): ReadonlyMap<string, string> =>
  new Map(
    messages
      .flatMap((message) => message.parts)
      .flatMap((part) => (part._tag === "ToolCall" ? [[part.id, part.name] as const] : []))
  )

const chooseTools = (request: LlmRequest): ReadonlyArray<FunctionTool> => {
  const choice = request.toolChoice
  const tools = (request.tools ?? []).filter((tool) => tool._tag === "Function")
  if (choice?._tag === "None") return []
  if (choice?._tag === "Tool") return tools.filter((tool) => tool.name === choice.name).slice(0, 1)
  const among = amongOf(choice)
  const callable = among === undefined ? tools : tools.filter(({ name }) => among.includes(name))
  return request.parallelToolCalls === false ? callable.slice(0, 1) : callable
}

const argumentsFor = (tool: FunctionTool, seed: number): Schema.Json => {
  const value = valueFor(tool.inputSchema ?? {}, seed)
  // Arguments are an object in every format, also where the schema is lax about it.
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {}
}
