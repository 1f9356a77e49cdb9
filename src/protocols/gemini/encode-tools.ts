import { noteFreeText } from "../FreeText.ts"
import type { FunctionTool, LlmRequest, ToolChoice } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import { hostedTool, plainSearch } from "../HostedTools.ts"
import { fieldsOf, unlessEmpty, type JsonObject } from "../open-document.ts"
import { parametersOf } from "../ToolArguments.ts"
import { offeredAmong } from "../ToolSubset.ts"
import type { GeminiEncoding } from "./encoding.ts"
import { geminiId } from "./wire.ts"

/** All functions stand in one entry, and each tool of the provider in one of its own. */
export const encodeTools = (
  { tools = [] }: LlmRequest,
  searches: boolean,
  encoding: GeminiEncoding
): ReadonlyArray<JsonObject> => {
  const searchOf = searches ? plainSearch({ googleSearch: {} }) : undefined
  const functionDeclarations: Array<JsonObject> = []
  const others: Array<JsonObject> = []
  for (const tool of tools) {
    if (tool._tag === "Function") functionDeclarations.push(encodeFunction(tool, encoding))
    else others.push(...hostedTool(tool, geminiId, encoding, searchOf))
  }
  return functionDeclarations.length === 0 ? others : [{ functionDeclarations }, ...others]
}

/** Whether functions stand beside what another format's caller wants the provider to run: those of this one say it themselves. */
export const isMixed = ({ tools = [] }: LlmRequest, encoded: ReadonlyArray<JsonObject>): boolean =>
  encoded.length > 1 &&
  tools.some(({ _tag }) => _tag === "Function") &&
  tools.some((tool) => tool._tag === "Provider" && tool.protocol !== geminiId)

const encodeFunction = (tool: FunctionTool, encoding: GeminiEncoding): JsonObject => {
  noteFreeText(tool, encoding)
  if (tool.strict === true) encoding.dropped("strict")
  return {
    name: tool.name,
    ...present({ description: tool.description }),
    ...(tool.inputSchema === undefined ? {} : { parametersJsonSchema: parametersOf(tool.inputSchema) }),
    ...encoding.unmarked(tool)
  }
}

/** Which tools may be called, and what else is said of them. */
export const encodeToolConfig = (
  { tools = [], toolChoice, parallelToolCalls }: LlmRequest,
  own: unknown,
  mixed: boolean,
  encoding: GeminiEncoding
): JsonObject | undefined => {
  if (parallelToolCalls === false && tools.length > 0) encoding.dropped("parallel_tool_calls")
  const { functionCallingConfig: ownCalling, ...more } = fieldsOf(own)
  const calling = {
    // The API refuses a choice where there is nothing to choose from.
    ...(toolChoice === undefined || tools.length === 0 ? {} : choiceOf(toolChoice, tools)),
    // Beside tools of the provider's own, calls at the model's will are those that fit their schema.
    ...(mixed && toolChoice?._tag === "Auto" ? { mode: "VALIDATED" } : {}),
    ...fieldsOf(ownCalling)
  }
  return unlessEmpty({
    ...present({ functionCallingConfig: unlessEmpty(calling) }),
    // The API refuses tools of its own beside functions where the caller does not say that it will see them at work.
    ...(mixed ? { includeServerSideToolInvocations: true } : {}),
    ...more
  })
}

const choiceOf = (choice: ToolChoice, tools: LlmRequest["tools"]): JsonObject => {
  switch (choice._tag) {
    case "Auto":
      return { mode: "AUTO" }
    case "None":
      return { mode: "NONE" }
    case "Required": {
      if (choice.among === undefined) return { mode: "ANY" }
      const names = offeredAmong(choice.among, tools, geminiId)
      return names.length === 0 ? { mode: "NONE" } : { mode: "ANY", allowedFunctionNames: names }
    }
    case "Tool":
      return { mode: "ANY", allowedFunctionNames: [choice.name] }
  }
}
