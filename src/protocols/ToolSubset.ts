import type { LlmRequest, Tool, ToolChoice } from "../domain/LlmRequest.ts"
import type { Notices } from "./Notices.ts"

/** The names of the tools among which a choice leaves it to the model; undefined where that is all of them. */
export const amongOf = (choice: ToolChoice | undefined): ReadonlyArray<string> | undefined =>
  choice?._tag === "Auto" || choice?._tag === "Required" ? choice.among : undefined

/**
 * Those of the names that a server of the format `own` knows: a tool that another format's provider runs is not offered
 * to it.
 */
export const offeredAmong = (
  names: ReadonlyArray<string>,
  tools: ReadonlyArray<Tool> | undefined,
  own: string
): ReadonlyArray<string> =>
  names.filter((name) =>
    tools?.some((tool) => tool.name === name && (tool._tag === "Function" || tool.protocol === own))
  )

/**
 * A request for a format that cannot say which of the tools may be called: those that may not are not offered. The same
 * request where all may be.
 */
export const offeringOnly = (request: LlmRequest, said: Notices): LlmRequest => {
  const names = amongOf(request.toolChoice)
  const { toolChoice, tools } = request
  if (names === undefined || toolChoice === undefined || tools === undefined) return request
  said.add("emulated", "tool_choice among some tools: no other tool is offered")
  const { among: _, ...choice } = { among: names, ...toolChoice }
  return { ...request, toolChoice: choice, tools: tools.filter(({ name }) => names.includes(name)) }
}

/** A request for a server that cannot be told which tool to call: of those that it is offered, it has to call that one. */
export const choosingAmong = (request: LlmRequest): LlmRequest =>
  request.toolChoice?._tag === "Tool"
    ? { ...request, toolChoice: { _tag: "Required", among: [request.toolChoice.name] } }
    : request

/** A request for a server that cannot be told to call no tool: it is offered none. The same request where it may call some. */
export const offeringNone = (request: LlmRequest, said: Notices): LlmRequest => {
  if (request.toolChoice?._tag !== "None") return request
  said.add("emulated", "tool_choice none: the tools are not offered")
  const { toolChoice: _, tools: __, ...others } = request
  return others
}

/**
 * A request without the choice of a tool that only another format's provider runs: a server of the format `own` would be
 * told to call a tool that it is not offered. The same request where that is not chosen.
 */
export const withoutForeignChoice = (request: LlmRequest, own: string, said: Notices): LlmRequest => {
  const { toolChoice: choice, ...others } = request
  const chosen = choice?._tag === "Tool" ? request.tools?.find(({ name }) => name === choice.name) : undefined
  if (chosen?._tag !== "Provider" || chosen.protocol === own) return request
  said.dropped(`the choice of the tool ${chosen.name}`, `only ${chosen.protocol} runs it`)
  return others
}

/**
 * A request for a model that cannot be made to call a tool: it is left to the model. Nothing is said in words instead, since
 * words that are there in one turn only would break the thoughts off that hold for the conversation as it was.
 */
export const unforced = (
  request: LlmRequest,
  { forcedCalls }: { readonly forcedCalls: boolean },
  said: Notices
): LlmRequest => {
  const { toolChoice } = request
  if (forcedCalls || (toolChoice?._tag !== "Required" && toolChoice?._tag !== "Tool")) return request
  said.add("changed", "the choice of a tool is left to the model: it cannot be made to call one")
  return { ...request, toolChoice: { _tag: "Auto" } }
}
