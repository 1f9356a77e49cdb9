import type { Tool } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { freeTextSchema } from "../FreeText.ts"
import { searchWith } from "../HostedTools.ts"
import { fieldsOf, type JsonObject } from "../open-document.ts"
import { extended, foundInInput, ownExtension } from "./extension.ts"
import { placed, qualifiedName, takePlace } from "./namespaces.ts"
import { openAiResponsesId, type ClientTool, type RequestTool, type ResponsesRequest } from "./wire.ts"

/**
 * The tools that the model may call: those that the request declares, and those that its input says it may call from there
 * on, because they were searched for or added. Only the caller's own are known by name to other formats.
 */
export const decodeTools = ({ tools, input }: ResponsesRequest): ReadonlyArray<Tool> | undefined => {
  const declared = tools?.flatMap(decodeTool)
  const found = new Map<string, Tool>()
  for (const item of typeof input === "string" ? [] : (input ?? [])) {
    if (item.type !== "tool_search_output" && item.type !== "additional_tools") continue
    for (const tool of item.tools.flatMap(decodeTool)) {
      if (tool._tag === "Function" && !isAmong(tool, declared ?? [])) found.set(tool.name, marked(tool))
    }
  }
  return found.size === 0 ? declared : [...(declared ?? []), ...found.values()]
}

const marked = (tool: FunctionTool): FunctionTool => ({
  ...tool,
  ...extended({ ...ownExtension(tool.extensions), [foundInInput]: true })
})

type FunctionTool = Extract<Tool, { readonly _tag: "Function" }>

/** Whether a tool was declared. One that was searched for may be said to stand in a namespace of its own name. */
const isAmong = ({ name, extensions }: FunctionTool, declared: ReadonlyArray<Tool>): boolean => {
  const { place } = takePlace(ownExtension(extensions))
  const alone = place !== undefined && place.namespace["name"] === place.name ? place.name : name
  return declared.some((tool) => tool.name === name || tool.name === alone)
}

const decodeTool = (tool: RequestTool): ReadonlyArray<Tool> => {
  switch (tool.type) {
    case "function":
    case "custom":
      return [decodeFunction(tool)]
    case "namespace": {
      const { tools: _, ...namespace } = tool.raw
      const known = tool.tools.filter((member) => member.type !== undefined)
      if (known.length < tool.tools.length) return [hostedToolOf(tool.raw)]
      return known.map((member) => {
        const { name, rest } = member
        return decodeFunction({
          ...member,
          name: qualifiedName(tool.name, name),
          rest: { ...rest, ...placed({ namespace, name }) }
        })
      })
    }
    case undefined:
      return [hostedToolOf(tool.raw)]
  }
}

const hostedToolOf = (tool: JsonObject): Tool => {
  const { filters, type, ...options } = tool
  const search = String(type).startsWith("web_search")
    ? { webSearch: searchWith({ ...options, ...fieldsOf(filters) }) }
    : {}
  return { _tag: "Provider", protocol: openAiResponsesId, name: hostedName(tool), value: tool, ...search }
}

/** What a tool of the provider is called by: those that are not named go by the server that has them, or by their type. */
export const hostedName = ({ name, server_label: label, type }: JsonObject): string => String(name ?? label ?? type)

const decodeFunction = (tool: ClientTool): FunctionTool => ({
  _tag: "Function",
  name: tool.name,
  ...present({ description: tool.description }),
  ...(tool.type === "custom"
    ? { inputSchema: freeTextSchema, freeText: present({ format: tool.format }) }
    : present({ inputSchema: tool.parameters, strict: tool.strict })),
  ...extended(tool.rest)
})
