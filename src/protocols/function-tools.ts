import type { FunctionTool } from "../domain/LlmRequest.ts"
import { present } from "../domain/present.ts"
import type { Encoding } from "./Encoding.ts"
import { noteFreeText } from "./FreeText.ts"
import type { JsonObject } from "./open-document.ts"
import { parametersOf } from "./ToolArguments.ts"

/** A function as the formats declare it that followed Chat Completions. */
export const nestedFunction = (tool: FunctionTool, encoding: Encoding): JsonObject => {
  noteFreeText(tool, encoding)
  return {
    type: "function",
    function: {
      name: tool.name,
      ...present({ description: tool.description }),
      parameters: parametersOf(tool.inputSchema)
    },
    ...encoding.unmarked(tool)
  }
}
