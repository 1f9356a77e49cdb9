import type { Schema } from "effect"
import type { JsonObject } from "../../src/protocols/open-document.ts"
import { pixel } from "./content-features.ts"
import { contents, hello, schema, type Asking, type RequestFeature } from "./requests.ts"

const named = { name: "lookup", description: "looks it up" }
const chatTool = { type: "function", function: { ...named, parameters: schema } }
const responsesTool = { type: "function", ...named, parameters: schema, strict: false }
const messagesTool = { ...named, input_schema: schema }
const geminiTool = { functionDeclarations: [{ ...named, parametersJsonSchema: schema }] }

const tools: { readonly [D in Asking]: JsonObject } = {
  "openai-chat": { tools: [chatTool] },
  "openai-responses": { tools: [responsesTool] },
  "anthropic-messages": { tools: [messagesTool] },
  gemini: { tools: [geminiTool] }
}

type Output = Schema.Json

/** A conversation in which the tool was called `calls` times, and what it answered. */
const chatTurns = (calls: number, content: Output): JsonObject => {
  const ids = Array.from({ length: calls }, (_, index) => `call_${index}`)
  return {
    ...tools["openai-chat"],
    messages: [
      hello,
      {
        role: "assistant",
        content: null,
        tool_calls: ids.map((id) => ({
          id,
          type: "function",
          function: { name: "lookup", arguments: '{"city":"Paris"}' }
        }))
      },
      ...ids.map((id) => ({ role: "tool", tool_call_id: id, content }))
    ]
  }
}
const responsesTurns = (calls: number, output: Output): JsonObject => {
  const ids = Array.from({ length: calls }, (_, index) => `call_${index}`)
  return {
    ...tools["openai-responses"],
    input: [
      hello,
      ...ids.map((call_id) => ({ type: "function_call", call_id, name: "lookup", arguments: '{"city":"Paris"}' })),
      ...ids.map((call_id) => ({ type: "function_call_output", call_id, output }))
    ]
  }
}
const messagesTurns = (calls: number, content: Output, more: JsonObject = {}): JsonObject => {
  const ids = Array.from({ length: calls }, (_, index) => `toolu_${index}`)
  return {
    ...tools["anthropic-messages"],
    messages: [
      hello,
      {
        role: "assistant",
        content: ids.map((id) => ({ type: "tool_use", id, name: "lookup", input: { city: "Paris" } }))
      },
      { role: "user", content: ids.map((id) => ({ type: "tool_result", tool_use_id: id, content, ...more })) }
    ]
  }
}
const geminiTurns = (calls: number, response: Output, more: JsonObject = {}): JsonObject => {
  const indexes = Array.from({ length: calls }, (_, index) => `id_${index}`)
  return {
    ...tools["gemini"],
    contents: [
      ...contents,
      {
        role: "model",
        parts: indexes.map((id) => ({ functionCall: { id, name: "lookup", args: { city: "Paris" } } }))
      },
      { role: "user", parts: indexes.map((id) => ({ functionResponse: { id, name: "lookup", response, ...more } })) }
    ]
  }
}

const calling = (functionCallingConfig: JsonObject): JsonObject => ({
  ...tools["gemini"],
  toolConfig: { functionCallingConfig }
})

const withTools = (patches: { readonly [D in Asking]?: JsonObject }): RequestFeature["asked"] =>
  Object.fromEntries(
    // The keys are those of the patches.
    (Object.keys(patches) as ReadonlyArray<Asking>).map((asking) => [asking, { ...tools[asking], ...patches[asking] }])
  )

/** What a request can say of tools. */
export const toolFeatures: ReadonlyArray<RequestFeature> = [
  { name: "tools", trace: /lookup/, asked: tools },
  {
    name: "tools held to their schema (strict)",
    trace: /"strict\w*":true/,
    asked: {
      "openai-chat": { tools: [{ type: "function", function: { ...chatTool.function, strict: true } }] },
      "openai-responses": { tools: [{ ...responsesTool, strict: true }] },
      "anthropic-messages": { tools: [{ ...messagesTool, strict: true }] }
    }
  },
  {
    name: "tools that take text",
    trace: /sql/,
    asked: {
      "openai-chat": { tools: [{ type: "custom", custom: { name: "sql" } }] },
      "openai-responses": { tools: [{ type: "custom", name: "sql" }] }
    }
  },
  {
    name: "tools in a namespace",
    trace: /lookup/,
    asked: {
      "openai-responses": {
        tools: [{ type: "namespace", name: "mcp__maps", tools: [responsesTool] }]
      }
    }
  },
  {
    name: "tools that were searched for or are added in the conversation",
    trace: /lookup/,
    asked: {
      "openai-responses": {
        input: [
          { type: "additional_tools", role: "developer", tools: [responsesTool] },
          { role: "user", content: "Hello" }
        ]
      }
    }
  },
  {
    name: "tools that the provider runs: a search of the web",
    trace: /search/i,
    asked: {
      "openai-chat": { web_search_options: {} },
      "openai-responses": { tools: [{ type: "web_search" }] },
      "anthropic-messages": { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      gemini: { tools: [{ googleSearch: {} }] }
    }
  },
  {
    name: "tools that the provider runs: others",
    trace: /code/i,
    asked: {
      "openai-responses": { tools: [{ type: "code_interpreter", container: { type: "auto" } }] },
      "anthropic-messages": { tools: [{ type: "code_execution_20250825", name: "code_execution" }] },
      gemini: { tools: [{ codeExecution: {} }] }
    }
  },
  {
    name: "tool choice: must call one",
    asked: withTools({
      "openai-chat": { tool_choice: "required" },
      "openai-responses": { tool_choice: "required" },
      "anthropic-messages": { tool_choice: { type: "any" } },
      gemini: calling({ mode: "ANY" })
    })
  },
  {
    name: "tool choice: none",
    asked: withTools({
      "openai-chat": { tool_choice: "none" },
      "openai-responses": { tool_choice: "none" },
      "anthropic-messages": { tool_choice: { type: "none" } },
      gemini: calling({ mode: "NONE" })
    })
  },
  {
    name: "tool choice: this one",
    asked: withTools({
      "openai-chat": { tool_choice: { type: "function", function: { name: "lookup" } } },
      "openai-responses": { tool_choice: { type: "function", name: "lookup" } },
      "anthropic-messages": { tool_choice: { type: "tool", name: "lookup" } },
      gemini: calling({ mode: "ANY", allowedFunctionNames: ["lookup"] })
    })
  },
  {
    name: "tool choice: one of these",
    asked: withTools({
      "openai-chat": {
        tool_choice: {
          type: "allowed_tools",
          allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "lookup" } }] }
        }
      },
      "openai-responses": {
        tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "lookup" }] }
      },
      gemini: calling({ mode: "ANY", allowedFunctionNames: ["lookup", "search"] })
    })
  },
  {
    name: "one call at a time",
    asked: withTools({
      "openai-chat": { parallel_tool_calls: false },
      "openai-responses": { parallel_tool_calls: false },
      "anthropic-messages": { tool_choice: { type: "auto", disable_parallel_tool_use: true } }
    })
  },
  {
    name: "calls and their results",
    trace: /21 degrees/,
    asked: {
      "openai-chat": chatTurns(1, "21 degrees"),
      "openai-responses": responsesTurns(1, "21 degrees"),
      "anthropic-messages": messagesTurns(1, "21 degrees"),
      gemini: geminiTurns(1, { result: "21 degrees" })
    }
  },
  {
    name: "parallel calls",
    trace: /21 degrees/,
    asked: {
      "openai-chat": chatTurns(2, "21 degrees"),
      "openai-responses": responsesTurns(2, "21 degrees"),
      "anthropic-messages": messagesTurns(2, "21 degrees"),
      gemini: geminiTurns(2, { result: "21 degrees" })
    }
  },
  {
    name: "results with images",
    trace: new RegExp(pixel),
    asked: {
      "openai-responses": responsesTurns(1, [{ type: "input_image", image_url: `data:image/png;base64,${pixel}` }]),
      "anthropic-messages": messagesTurns(1, [
        { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } }
      ]),
      gemini: geminiTurns(1, {}, { parts: [{ inlineData: { mimeType: "image/png", data: pixel } }] })
    }
  },
  {
    name: "results that are errors",
    trace: /no such city/,
    asked: {
      "anthropic-messages": messagesTurns(1, "no such city", { is_error: true }),
      gemini: geminiTurns(1, { error: "no such city" })
    }
  }
]
