import type { LlmEvent } from "../../domain/LlmEvent.ts"
import type { Tool } from "../../domain/LlmRequest.ts"
import { takesText, textOfArguments } from "../FreeText.ts"
import type { Notices } from "../Notices.ts"
import type { JsonObject } from "../open-document.ts"
import { callExtras, sealOfCall } from "./call-extras.ts"

type ToolEvent = Extract<LlmEvent, { readonly _tag: "ToolInputStart" | "ToolInputDelta" | "ToolInputEnd" | "ToolCall" }>
type ToolStart = Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>

interface RenderedCall {
  readonly choice: number
  readonly index: number
  /** its name and arguments go into a text, which is sent when it is complete */
  readonly custom: boolean
  /** whether its fragments are rendered, and not sent as the provider wrote them */
  readonly moved: boolean
  /** the caller is not told of it */
  readonly silent: boolean
  readonly extras: JsonObject
  written: boolean
  done: boolean
}

/**
 * The tool calls of a stream as they are rendered: id and name once, a dense index in each answer, at least `{}` for
 * arguments. `legacy` callers know one call, without an id.
 */
export class RenderedCalls {
  private readonly legacy: boolean
  private readonly tools: ReadonlyArray<Tool> | undefined
  private readonly notices: Notices
  private readonly calls = new Map<string, RenderedCall>()
  private readonly counts = new Map<number, number>()

  constructor(legacy: boolean, tools: ReadonlyArray<Tool> | undefined, notices: Notices) {
    this.legacy = legacy
    this.tools = tools
    this.notices = notices
  }

  /** The index that the next call of an answer gets. */
  nextIndex(choice: number): number {
    return this.counts.get(choice) ?? 0
  }

  /** Whether the fragments of a call have to be rendered. */
  isMoved(id: string): boolean {
    return this.calls.get(id)?.moved === true
  }

  /** Whether the call at a place goes out as the provider wrote it. */
  isPassing(choice: number, index: number): boolean {
    for (const call of this.calls.values()) if (call.choice === choice && call.index === index) return !call.moved
    return false
  }

  /** Takes note of a call whose start was sent as the provider wrote it. */
  adopt(start: ToolStart, index: number): void {
    const choice = start.choice ?? 0
    const adopted = { custom: false, moved: false, silent: false, extras: {}, written: true, done: false }
    this.calls.set(start.id, { choice, index, ...adopted })
    this.counts.set(choice, Math.max(this.nextIndex(choice), index + 1))
  }

  /** The delta of an event; undefined where there is nothing to say. */
  render(event: ToolEvent): JsonObject | undefined {
    switch (event._tag) {
      case "ToolInputStart":
        return this.start(event)
      case "ToolInputDelta":
        return this.write(event.id, event.text)
      case "ToolInputEnd": {
        const call = this.calls.get(event.id)
        return call === undefined || call.written || call.custom ? undefined : this.write(event.id, "{}")
      }
      case "ToolCall":
        return this.complete(event)
    }
  }

  private start(event: ToolStart): JsonObject | undefined {
    const { id, name, choice = 0 } = event
    const index = this.nextIndex(choice)
    const extras = callExtras(event)
    const custom = extras["type"] === "custom" || takesText(this.tools, name)
    const silent = event.providerExecuted === true || (this.legacy && index > 0)
    this.calls.set(id, { choice, index, custom, moved: true, silent, extras, written: false, done: false })
    if (silent) {
      this.notices.dropped(event.providerExecuted === true ? "a tool call that the provider runs" : "a second call")
      return undefined
    }
    this.counts.set(choice, index + 1)
    if (custom) return undefined
    if (this.legacy) {
      if (sealOfCall(extras) !== undefined) this.notices.dropped("the signature of a call")
      return { function_call: { name, arguments: "" } }
    }
    return { tool_calls: [{ index, id, type: "function", function: { name, arguments: "" }, ...extras }] }
  }

  private write(id: string, text: string): JsonObject | undefined {
    const call = this.calls.get(id)
    if (call === undefined || call.silent || call.custom) return undefined
    call.written = true
    return this.legacy
      ? { function_call: { arguments: text } }
      : { tool_calls: [{ index: call.index, function: { arguments: text } }] }
  }

  /** A call that was not announced comes whole. */
  private complete(event: Extract<LlmEvent, { readonly _tag: "ToolCall" }>): JsonObject | undefined {
    const { id, name, choice = 0 } = event
    const call = this.calls.get(id)
    if (call?.custom === true) {
      if (call.done || call.silent) return undefined
      call.done = true
      const input = textOfArguments(event.arguments)
      return { tool_calls: [{ index: call.index, id, ...call.extras, type: "custom", custom: { name, input } }] }
    }
    if (call !== undefined) return undefined
    const begun = this.start({ ...event, _tag: "ToolInputStart" })
    if (this.calls.get(id)?.custom === true) return this.complete(event)
    if (begun === undefined) return undefined
    const called = { name, arguments: event.arguments }
    if (this.legacy) return { function_call: called }
    return { tool_calls: [{ index: this.nextIndex(choice) - 1, id, type: "function", function: called }] }
  }
}
