import type { Schema } from "effect"
import type { LlmEvent } from "../domain/LlmEvent.ts"
import type { EventSteps } from "./eventSteps.ts"
import { type Block, HeldBlock, HoldBack } from "./HoldBack.ts"
import { isObjectText, mapStrings } from "./json-values.ts"
import { type Scanned, Seam } from "./Seam.ts"
import { scanWhole, type TextScanner } from "./TextScanner.ts"
import { type Ending, isEnding } from "./Verdict.ts"

/** The scanner for a block, or none where the block is of no concern: it then passes untouched. */
export type ScannerFor = (block: Block) => TextScanner | undefined

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

const withoutPlace = (source: Source): Source => {
  const { start: _, end: __, origin: ___, ...rest } = source
  return rest
}

/**
 * Scans the generated text of one answer, block by block, and whatever tells that text again: the complete tool call, the
 * citation, what a provider's own tool answered.
 */
export class ScanSteps implements EventSteps {
  private readonly scannerFor: ScannerFor
  private readonly open = new Map<string, Scanned>()
  /** blocks that ended: what tells them again comes after them */
  private readonly ended = new Map<string, HeldBlock>()
  private readonly choices = new Map<number, HoldBack>()
  /** by choice, the block that began last */
  private readonly latest = new Map<number, Scanned>()
  /** and the one that has ended last, if what was found in it may go on in the next one */
  private readonly unfinished = new Map<number, Scanned>()

  constructor(scannerFor: ScannerFor) {
    this.scannerFor = scannerFor
  }

  readonly step = (event: LlmEvent, out: Array<LlmEvent>): Ending | undefined => {
    if (this.unfinished.size > 0 && !goesOn.has(event._tag)) {
      const ending = this.finishLast(choiceOf(event), out)
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
        return this.endAll(() => true, out) ?? this.pass(event, out)
      case "ChoiceFinish":
        return this.endAll((choice) => choice === event.choice, out) ?? this.pass(event, out)
      case "Source":
        return this.source(event, out)
      case "ToolResult":
      case "Opaque":
        return this.value(event, out)
      default:
        return this.pass(event, out)
    }
  }

  readonly halt = (out: Array<LlmEvent>): void => {
    this.endAll(() => true, out)
  }

  private holdBack(choice: number): HoldBack {
    let holdBack = this.choices.get(choice)
    if (holdBack === undefined) this.choices.set(choice, (holdBack = new HoldBack()))
    return holdBack
  }

  private pass(event: LlmEvent, out: Array<LlmEvent>, late?: () => LlmEvent): undefined {
    this.holdBack(choiceOf(event)).push(event, out, late)
  }

  /** Lets go what was decided since. */
  drain(out: Array<LlmEvent>): void {
    for (const holdBack of this.choices.values()) holdBack.drain(out)
  }

  private openBlock(block: Block): Scanned | undefined {
    const scanner = this.scannerFor(block)
    if (scanner === undefined) return undefined
    const scanned: Scanned = { scanner, held: new HeldBlock(block, this.holdBack(block.choice)), seam: undefined }
    this.open.set(block.id, scanned)
    this.latest.set(block.choice, scanned)
    return scanned
  }

  /** Puts a block after the one that is unfinished, if that is of its kind. */
  private attach(scanned: Scanned, out: Array<LlmEvent>): Ending | undefined {
    const { kind, choice } = scanned.held.block
    const before = this.unfinished.get(choice)
    if (before === undefined) return undefined
    const alone = before.held.block.kind === kind ? this.scannerFor(before.held.block) : undefined
    if (alone === undefined) return this.finishLast(choice, out)
    this.unfinished.delete(choice)
    scanned.seam = before.seam ?? new Seam(before, alone)
    scanned.seam.join(scanned)
    return undefined
  }

  /** Nothing of its kind follows the block that is unfinished. */
  private finishLast(choice: number, out: Array<LlmEvent>): Ending | undefined {
    const scanned = this.unfinished.get(choice)
    if (scanned === undefined) return undefined
    this.unfinished.delete(choice)
    return this.decide(scanned, "", true, out)
  }

  private begin(
    event: LlmEvent & { readonly id: string; readonly choice?: number },
    of: Pick<Block, "kind" | "tool">,
    out: Array<LlmEvent>
  ): Ending | undefined {
    const ending = this.endRefusal(choiceOf(event), out)
    if (ending !== undefined) return ending
    const scanned = this.openBlock({ ...of, id: event.id, choice: choiceOf(event) })
    const before = scanned === undefined ? this.finishLast(choiceOf(event), out) : this.attach(scanned, out)
    return before ?? this.pass(event, out)
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

  private scan(
    id: string,
    event: Extract<LlmEvent, { readonly text: string }>,
    out: Array<LlmEvent>
  ): Ending | undefined {
    const scanned = this.open.get(id)
    if (scanned === undefined) return this.pass(event, out)
    scanned.held.add(event)
    return this.decide(scanned, event.text, false, out)
  }

  /** A delta without the alternatives of its tokens that may not be said, or without any where it may tell of its neighbours. */
  private unprobed(event: Extract<LlmEvent, { readonly _tag: "TextDelta" }>): typeof event {
    const held = this.open.get(event.id)?.held
    const { logprobs, ...rest } = event
    if (held === undefined || logprobs === undefined) return event
    if (event.text === "" && (held.changed || held.undecided > 0)) return rest
    const maySay = ({ token }: { readonly token: string }) => this.values(event, token) === token
    if (logprobs.every(({ top }) => top.every(maySay))) return event
    return { ...rest, logprobs: logprobs.map((one) => ({ ...one, top: one.top.filter(maySay) })) }
  }

  private decide(scanned: Scanned, text: string, end: boolean, out: Array<LlmEvent>): Ending | undefined {
    const ending = this.take(scanned, text, end, out)
    this.holdBack(scanned.held.block.choice).drain(out)
    return ending
  }

  private take(scanned: Scanned, text: string, end: boolean, out: Array<LlmEvent>): Ending | undefined {
    const { seam, scanner, held } = scanned
    if (seam === undefined) return scanner.scan(text, end, held)
    const ending = seam.scan(text, end)
    if (ending !== undefined) return ending
    return seam.settled ? this.settle(seam, scanned, end, out) : undefined
  }

  /** Reads what waited for the seam, each block as the text of its own that it is. */
  private settle(seam: Seam, last: Scanned, end: boolean, out: Array<LlmEvent>): Ending | undefined {
    const following = seam.settle()
    if (isEnding(following)) return following
    const { choice } = last.held.block
    const latest = this.latest.get(choice)
    for (const { scanned, text, hidden, ended } of following) {
      scanned.seam = undefined
      this.latest.set(choice, scanned)
      const isLast = scanned === last
      const ending =
        this.attach(scanned, out) ??
        this.take(scanned, text.slice(hidden), isLast && end, out) ??
        (ended && !isLast ? this.leave(scanned, out) : undefined)
      if (ending !== undefined) return ending
    }
    if (latest !== undefined) this.latest.set(choice, latest)
    return undefined
  }

  /** A block is at its end: what is not decided about waits for the next one, if it may go on there. */
  private leave(scanned: Scanned, out: Array<LlmEvent>): Ending | undefined {
    const { seam, scanner, held } = scanned
    const { choice } = held.block
    const mayGoOn = seam !== undefined || (scanner.crossesBlocks === true && held.undecided > 0)
    // Behind a block that began before others nothing begins any more.
    if (!mayGoOn || this.latest.get(choice) !== scanned) return this.take(scanned, "", true, out)
    seam?.endLast()
    this.unfinished.set(choice, scanned)
    return undefined
  }

  private finish(id: string, out: Array<LlmEvent>): Ending | undefined {
    const scanned = this.open.get(id)
    if (scanned === undefined) return undefined
    const ending = this.decide(scanned, "", true, out)
    this.open.delete(id)
    this.ended.set(id, scanned.held)
    return ending
  }

  private end(id: string, event: LlmEvent, out: Array<LlmEvent>): Ending | undefined {
    const ending = event._tag === "ToolInputEnd" ? this.finish(id, out) : this.endBlock(id, out)
    if (ending !== undefined) return ending
    if (event._tag !== "ReasoningEnd" || event.signature === undefined) return this.pass(event, out)
    const { signature: _, ...unsigned } = event
    // The signature is the proof of another text where that was changed.
    return this.pass(event, out, () => (this.isChanged(id) ? unsigned : event))
  }

  private endBlock(id: string, out: Array<LlmEvent>): Ending | undefined {
    const scanned = this.open.get(id)
    if (scanned === undefined) return undefined
    this.open.delete(id)
    this.ended.set(id, scanned.held)
    const ending = this.leave(scanned, out)
    this.holdBack(scanned.held.block.choice).drain(out)
    return ending
  }

  private endAll(which: (choice: number) => boolean, out: Array<LlmEvent>): Ending | undefined {
    for (const choice of this.unfinished.keys()) {
      const ending = which(choice) ? this.finishLast(choice, out) : undefined
      if (ending !== undefined) return ending
    }
    for (const [id, { held }] of this.open) {
      const ending = which(held.block.choice) ? this.finish(id, out) : undefined
      if (ending !== undefined) return ending
    }
    return undefined
  }

  private refusal(event: Extract<LlmEvent, { readonly _tag: "RefusalDelta" }>, out: Array<LlmEvent>) {
    const choice = choiceOf(event)
    const id = refusalId(choice)
    if (!this.open.has(id)) this.openBlock({ kind: "text", id, choice, tool: undefined })
    return this.scan(id, event, out)
  }

  private endRefusal(choice: number, out: Array<LlmEvent>): Ending | undefined {
    return this.open.size === 0 ? undefined : this.finish(refusalId(choice), out)
  }

  /** The arguments once more, all of them: as they left. */
  private toolCall(event: Extract<LlmEvent, { readonly _tag: "ToolCall" }>, out: Array<LlmEvent>): Ending | undefined {
    const held = this.ended.get(event.id)
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
      event.block !== undefined && this.isChanged(event.block) ? withoutPlace(told) : told
    )
  }

  private isChanged(id: string): boolean {
    return (this.ended.get(id) ?? this.open.get(id)?.held)?.changed === true
  }

  private value(
    event: Extract<LlmEvent, { readonly _tag: "ToolResult" | "Opaque" }>,
    out: Array<LlmEvent>
  ): Ending | undefined {
    const scanned = this.values(event, event.value)
    if (isEnding(scanned)) return scanned
    return this.pass(scanned === event.value ? event : { ...event, value: scanned }, out)
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
