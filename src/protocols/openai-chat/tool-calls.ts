import type { LlmEvent } from "../../domain/LlmEvent.ts"
import { escapedText, freeTextEnd, freeTextStart } from "../FreeText.ts"
import { fieldsOf, isObject, type JsonObject } from "../open-document.ts"
import { finishedArguments, isJsonObject } from "../ToolArguments.ts"
import { isIndex, textIn } from "./chunk.ts"
import { openAiChatId } from "./wire.ts"

/** Gives every call an id that no other block of the stream has. */
export interface CallIds {
  take(stated: string | undefined): string
}

type ChoiceIndex = { readonly choice?: number }

/** A call that is being written. It is announced once its name is known. */
class OpenCall {
  readonly statedId: string | undefined
  readonly id: string
  name = ""
  closed = false
  private readonly choice: ChoiceIndex
  private readonly custom: boolean
  private readonly rest: JsonObject
  private text: string
  private unsent: string
  private begun = false

  constructor(statedId: string | undefined, id: string, choice: ChoiceIndex, custom: boolean, rest: JsonObject) {
    this.statedId = statedId
    this.id = id
    this.choice = choice
    this.custom = custom
    this.rest = custom ? { ...rest, type: "custom" } : rest
    this.text = custom ? freeTextStart : ""
    this.unsent = this.text
  }

  /** whether what was written so far is a whole JSON object */
  get complete(): boolean {
    return isJsonObject(this.text.trim())
  }

  announce(name: string, events: Array<LlmEvent>): void {
    this.name = name
    events.push({
      _tag: "ToolInputStart",
      id: this.id,
      ...this.choice,
      name,
      ...(Object.keys(this.rest).length === 0 ? {} : { origin: { protocol: openAiChatId, value: this.rest } })
    })
    this.send(events)
  }

  write(piece: string, events: Array<LlmEvent>): void {
    if (this.closed || piece === "") return
    const json = this.custom ? escapedText(piece) : piece
    this.text += json
    this.unsent += json
    if (this.name !== "") this.send(events)
  }

  /** Whether it is complete: a call with its arguments. */
  close(events: Array<LlmEvent>): boolean {
    if (this.closed) return false
    this.closed = true
    if (this.name === "") {
      // Without name and arguments it is the empty field of a server that fills every one.
      if (this.unsent === (this.custom ? freeTextStart : "")) return false
      this.announce("", events)
    }
    if (this.custom) {
      this.text += freeTextEnd
      this.unsent += freeTextEnd
      this.send(events)
    }
    const { id, name, choice } = this
    const finished = finishedArguments(this.text)
    events.push({ _tag: "ToolInputEnd", id, ...choice })
    events.push({ _tag: "ToolCall", id, ...choice, name, ...finished })
    return finished.valid && name !== ""
  }

  /** A `null` that stands for no arguments is held back: nothing is to be written then. */
  private send(events: Array<LlmEvent>): void {
    if (!this.begun && "null".startsWith(this.unsent.trim())) return
    this.begun = true
    if (this.unsent === "") return
    events.push({ _tag: "ToolInputDelta", id: this.id, ...this.choice, text: this.unsent })
    this.unsent = ""
  }
}

/**
 * The tool calls of one choice. Fragments are told apart by their index, else by their id, else they belong to the call
 * that was written last; id and name count where they come first, however often they are repeated.
 */
export class ToolCalls {
  /** whether a call was finished that can be run */
  called = false
  private readonly ids: CallIds
  private readonly choice: ChoiceIndex
  private readonly calls: Array<OpenCall> = []
  private readonly byIndex = new Map<number, OpenCall>()
  private last: OpenCall | undefined

  constructor(ids: CallIds, choice: ChoiceIndex) {
    this.ids = ids
    this.choice = choice
  }

  /** Takes a fragment into account; `position` is its place where the calls of a message are listed whole. */
  add(fragment: unknown, position: number | undefined, events: Array<LlmEvent>): void {
    if (!isObject(fragment)) return
    const { index: counted, id, type: _, function: called, custom, ...rest } = fragment
    const index = position ?? (isIndex(counted) ? counted : undefined)
    const { name, arguments: written, input } = isObject(called) ? called : fieldsOf(custom)
    const stated = textIn(id)
    const named = textIn(name)
    const text = typeof written === "string" ? written : isObject(written) ? JSON.stringify(written) : ""
    const call = this.find(index, stated, named) ?? this.begin(index, stated, isObject(custom), rest, events)
    if (named !== undefined && call.name === "") call.announce(named, events)
    call.write(isObject(custom) ? (textIn(input) ?? "") : text, events)
    this.last = call
  }

  /** Ends what is still open. */
  close(events: Array<LlmEvent>): void {
    for (const call of this.calls) this.end(call, events)
    this.calls.length = 0
    this.byIndex.clear()
    this.last = undefined
  }

  /** Ends the calls that can only be complete; others may go on while something else is written. */
  settle(events: Array<LlmEvent>): void {
    if (this.last?.closed === false && this.last.complete) this.end(this.last, events)
  }

  private find(index: number | undefined, id: string | undefined, name: string | undefined): OpenCall | undefined {
    // A new name with a new id is a new call, whatever the index says: there are servers that number every call 0.
    const isAnother = (call: OpenCall) =>
      name !== undefined && id !== undefined && call.statedId !== undefined && call.statedId !== id
    if (index !== undefined) {
      const call = this.byIndex.get(index)
      return call === undefined || isAnother(call) ? undefined : call
    }
    if (id !== undefined) {
      const call = this.calls.findLast(({ statedId }) => statedId === id)
      if (call !== undefined || name !== undefined) return call
    }
    // A name begins a call, except where the one before has not been given its own yet.
    return name !== undefined && this.last !== undefined && this.last.name !== "" ? undefined : this.last
  }

  private begin(
    index: number | undefined,
    id: string | undefined,
    custom: boolean,
    rest: JsonObject,
    events: Array<LlmEvent>
  ): OpenCall {
    this.settle(events)
    const call = new OpenCall(id, this.ids.take(id), this.choice, custom, rest)
    this.calls.push(call)
    if (index !== undefined) this.byIndex.set(index, call)
    return call
  }

  private end(call: OpenCall, events: Array<LlmEvent>): void {
    if (call.close(events)) this.called = true
  }
}
