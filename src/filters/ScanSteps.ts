import type { Schema } from "effect"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { EventSteps } from "./eventSteps.ts"
import { Blocks, type ScannerFor } from "./Blocks.ts"
import { type Block, type Delta, type Opaque, spokenIn } from "./HoldBack.ts"
import { isObjectText, mapStrings, withTextAt } from "./json-values.ts"
import { scanWhole } from "./TextScanner.ts"
import { type Ending, isEnding } from "./Verdict.ts"

/** Events that may stand between two blocks that callers read as one text. */
const goesOn = new Set<LlmEvent["_tag"]>([
  "TextStart",
  "TextDelta",
  "TextEnd",
  "ReasoningStart",
  "ReasoningDelta",
  "ReasoningEnd",
  "Source",
  "UsageReported"
])

const refusalId = (choice: number) => `refusal ${choice}`

const choiceOf = (event: LlmEvent): number => ("choice" in event ? (event.choice ?? 0) : 0)

type Source = Extract<LlmEvent, { readonly _tag: "Source" }>

/** A source of no place in the text is where it was: what its format says of places are those in what is cited. */
const withoutPlace = (source: Source): Source => {
  const { start, end, origin: _, ...rest } = source
  return start === undefined && end === undefined ? source : rest
}

/**
 * Scans the generated text of one answer, block by block, and whatever tells that text again: the complete tool call, the
 * citation, what a provider's own tool answered.
 */
export class ScanSteps implements EventSteps {
  private readonly scannerFor: ScannerFor
  private readonly blocks: Blocks

  constructor(scannerFor: ScannerFor) {
    this.scannerFor = scannerFor
    this.blocks = new Blocks(scannerFor)
  }

  readonly step = (event: LlmEvent, out: Array<LlmEvent>): Ending | undefined => {
    if (this.blocks.isUnfinished && !goesOn.has(event._tag)) {
      const ending = this.blocks.finishLast(choiceOf(event), out)
      if (ending !== undefined) return ending
    }
    switch (event._tag) {
      case "TextDelta":
        return this.scan(event.id, event.logprobs === undefined ? event : this.unprobed(event), out)
      case "ReasoningDelta":
      case "ToolInputDelta":
        return this.scan(event.id, event, out)
      case "RefusalDelta":
        return this.refusal(event, out)
      case "TextStart":
        return this.begin(event, { kind: "text", tool: undefined }, out)
      case "ReasoningStart":
        return this.begin(event, { kind: "reasoning", tool: undefined }, out)
      case "ToolInputStart":
        return this.beginTool(event, out)
      case "TextEnd":
      case "ReasoningEnd":
      case "ToolInputEnd":
        return this.end(event.id, event, out)
      case "ToolCall":
        return this.toolCall(event, out)
      case "Finish":
        return this.blocks.endAll(() => true, out) ?? this.pass(event, out)
      case "ChoiceFinish":
        return this.blocks.endAll((choice) => choice === event.choice, out) ?? this.pass(event, out)
      case "Source":
        return this.source(event, out)
      case "ToolResult":
        return this.value(event, out)
      case "Opaque":
        return spokenIn(event) === "" ? this.value(event, out) : this.spoken(event, out)
      default:
        return this.pass(event, out)
    }
  }

  readonly halt = (out: Array<LlmEvent>): Ending | undefined => this.blocks.endAll(() => true, out)

  private pass(event: LlmEvent, out: Array<LlmEvent>, late?: () => LlmEvent): undefined {
    this.blocks.holdBack(choiceOf(event)).push(event, out, late)
  }

  /** Lets go what was decided since. */
  drain(out: Array<LlmEvent>): void {
    this.blocks.drain(out)
  }

  private begin(
    event: LlmEvent & { readonly id: string; readonly choice?: number },
    of: Pick<Block, "kind" | "tool">,
    out: Array<LlmEvent>
  ): Ending | undefined {
    const choice = choiceOf(event)
    const ending = this.blocks.finish(refusalId(choice), out) ?? this.blocks.open({ ...of, id: event.id, choice }, out)
    return ending ?? this.pass(event, out)
  }

  /** What its format says of a call beyond its arguments may be what it answered. */
  private beginTool(event: Extract<LlmEvent, { readonly _tag: "ToolInputStart" }>, out: Array<LlmEvent>) {
    const of = { kind: "toolArguments", tool: event.name } as const
    const { origin } = event
    if (origin === undefined) return this.begin(event, of, out)
    const value = this.values(event, origin.value)
    if (isEnding(value)) return value
    return this.begin(value === origin.value ? event : { ...event, origin: { ...origin, value } }, of, out)
  }

  private scan(id: string, event: Delta, out: Array<LlmEvent>): Ending | undefined {
    return this.blocks.isOpen(id) ? this.blocks.scan(id, event, out) : this.pass(event, out)
  }

  /** A delta without the alternatives of its tokens that may not be said, or without any where it may tell of its neighbours. */
  private unprobed(event: Extract<LlmEvent, { readonly _tag: "TextDelta" }>): typeof event {
    const held = this.blocks.held(event.id)
    const { logprobs, ...rest } = event
    if (held === undefined || logprobs === undefined) return event
    if (event.text === "" && (held.changed || held.undecided > 0)) return rest
    const maySay = ({ token }: { readonly token: string }) => this.values(event, token) === token
    if (logprobs.every(({ top }) => top.every(maySay))) return event
    return { ...rest, logprobs: logprobs.map((one) => ({ ...one, top: one.top.filter(maySay) })) }
  }

  private end(id: string, event: LlmEvent, out: Array<LlmEvent>): Ending | undefined {
    const ending = this.blocks.end(id, out)
    if (ending !== undefined) return ending
    if (event._tag !== "ReasoningEnd" || event.signature === undefined) return this.pass(event, out)
    const { signature: _, ...unsigned } = event
    // The signature is the proof of another text where that was changed.
    return this.pass(event, out, () => (this.blocks.isChanged(id) ? unsigned : event))
  }

  private refusal(event: Extract<LlmEvent, { readonly _tag: "RefusalDelta" }>, out: Array<LlmEvent>) {
    const choice = choiceOf(event)
    const id = refusalId(choice)
    return this.openText(id, choice, out) ?? this.scan(id, event, out)
  }

  /** Opens a block of text that nothing announces. */
  private openText(id: string, choice: number, out: Array<LlmEvent>): Ending | undefined {
    return this.blocks.isOpen(id) ? undefined : this.blocks.open({ kind: "text", id, choice, tool: undefined }, out)
  }

  /** The arguments once more, all of them: as they left. */
  private toolCall(event: Extract<LlmEvent, { readonly _tag: "ToolCall" }>, out: Array<LlmEvent>): Ending | undefined {
    const held = this.blocks.isOpen(event.id) ? undefined : this.blocks.held(event.id)
    if (held !== undefined && held.length > 0) {
      return this.pass(event, out, () =>
        held.changed ? { ...event, arguments: held.released, valid: isObjectText(held.released) } : event
      )
    }
    const scanner = this.scannerFor({
      kind: "toolArguments",
      id: event.id,
      choice: choiceOf(event),
      tool: event.name
    })
    if (scanner === undefined) return this.pass(event, out)
    const scanned = scanWhole(scanner, event.arguments)
    if (isEnding(scanned)) return scanned
    if (scanned === event.arguments) return this.pass(event, out)
    return this.pass({ ...event, arguments: scanned, valid: isObjectText(scanned) }, out)
  }

  /** What is cited may say what the text may not; where a text was changed, the places in it are others. */
  private source(event: Source, out: Array<LlmEvent>): Ending | undefined {
    const { _tag: _____, choice: _, block: __, start: ___, end: ____, ...said } = event
    const scanned = this.values(event, said)
    if (isEnding(scanned)) return scanned
    const told = scanned === said ? event : { ...event, ...scanned }
    return this.pass(told, out, () =>
      event.block !== undefined && this.blocks.isChanged(event.block) ? withoutPlace(told) : told
    )
  }

  private value(
    event: Extract<LlmEvent, { readonly _tag: "ToolResult" | "Opaque" }>,
    out: Array<LlmEvent>
  ): Ending | undefined {
    const scanned = this.values(event, event.value)
    if (isEnding(scanned)) return scanned
    return this.pass(scanned === event.value ? event : { ...event, value: scanned }, out)
  }

  /** The words of what is heard: a text like any other, in events that say more than that. */
  private spoken(event: Opaque, out: Array<LlmEvent>): Ending | undefined {
    const choice = choiceOf(event)
    const id = `spoken ${choice}`
    const ending = this.openText(id, choice, out)
    if (ending !== undefined) return ending
    if (!this.blocks.isOpen(id)) return this.value(event, out)
    const { textAt = [], value } = event
    const others = withTextAt(value, textAt, "")
    const scanned = this.values(event, others)
    if (isEnding(scanned)) return scanned
    const told = scanned === others ? event : { ...event, value: withTextAt(scanned, textAt, spokenIn(event)) }
    return this.blocks.scan(id, told, out)
  }

  private values<A extends Schema.Json>(event: LlmEvent, value: A): A | Ending {
    const block: Block = { kind: "value", id: "", choice: choiceOf(event), tool: undefined }
    if (this.scannerFor(block) === undefined) return value
    return mapStrings(value, (text) => {
      const scanner = this.scannerFor(block)
      return scanner === undefined ? text : scanWhole(scanner, text)
    })
  }
}
