import type { LlmEvent } from "../domain/LlmEvent.ts"
import { type Block, type Delta, HeldBlock, HoldBack, spokenIn } from "./HoldBack.ts"
import { type Scanned, Seam } from "./Seam.ts"
import type { TextScanner } from "./TextScanner.ts"
import { type Ending, isEnding } from "./Verdict.ts"

/** The scanner for a block, or none where the block is of no concern: it then passes untouched. */
export type ScannerFor = (block: Block) => TextScanner | undefined

/** The blocks of one answer while they are scanned: those that are open, what is held back, and what may go on in the next. */
export class Blocks {
  private readonly scannerFor: ScannerFor
  private readonly opened = new Map<string, Scanned>()
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

  /** Whether a block waits for what follows it. */
  get isUnfinished(): boolean {
    return this.unfinished.size > 0
  }

  isOpen(id: string): boolean {
    return this.opened.has(id)
  }

  /** The text of a block that is scanned, open or not. */
  held(id: string): HeldBlock | undefined {
    return this.opened.get(id)?.held ?? this.ended.get(id)
  }

  isChanged(id: string): boolean {
    return this.held(id)?.changed === true
  }

  /** What waits in one of the answers. */
  holdBack(choice: number): HoldBack {
    let holdBack = this.choices.get(choice)
    if (holdBack === undefined) this.choices.set(choice, (holdBack = new HoldBack()))
    return holdBack
  }

  /** Lets go what was decided since. */
  drain(out: Array<LlmEvent>): void {
    for (const holdBack of this.choices.values()) holdBack.drain(out)
  }

  /** Begins a block, behind the one that is unfinished if that is of its kind; a block of no concern is none here. */
  open(block: Block, out: Array<LlmEvent>): Ending | undefined {
    const scanner = this.scannerFor(block)
    if (scanner === undefined) return this.finishLast(block.choice, out)
    const scanned: Scanned = { scanner, held: new HeldBlock(block, this.holdBack(block.choice)), seam: undefined }
    this.opened.set(block.id, scanned)
    this.latest.set(block.choice, scanned)
    return this.attach(scanned, out)
  }

  /** Scans the next piece of a block that is open. */
  scan(id: string, event: Delta, out: Array<LlmEvent>): Ending | undefined {
    const scanned = this.opened.get(id)
    if (scanned === undefined) return undefined
    scanned.held.add(event)
    return this.decide(scanned, spokenIn(event), false, out)
  }

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
  finishLast(choice: number, out: Array<LlmEvent>): Ending | undefined {
    const scanned = this.unfinished.get(choice)
    if (scanned === undefined) return undefined
    this.unfinished.delete(choice)
    return this.decide(scanned, "", true, out)
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

  /** Ends a block: nothing that was found in it goes on elsewhere. */
  finish(id: string, out: Array<LlmEvent>): Ending | undefined {
    const scanned = this.opened.get(id)
    if (scanned === undefined) return undefined
    const ending = this.decide(scanned, "", true, out)
    this.opened.delete(id)
    this.ended.set(id, scanned.held)
    return ending
  }

  /** Ends a block where it may go on in the next one. */
  end(id: string, out: Array<LlmEvent>): Ending | undefined {
    const scanned = this.opened.get(id)
    if (scanned === undefined) return undefined
    this.opened.delete(id)
    this.ended.set(id, scanned.held)
    const ending = this.leave(scanned, out)
    this.holdBack(scanned.held.block.choice).drain(out)
    return ending
  }

  /** Ends everything that is open. */
  endAll(which: (choice: number) => boolean, out: Array<LlmEvent>): Ending | undefined {
    for (const choice of this.unfinished.keys()) {
      const ending = which(choice) ? this.finishLast(choice, out) : undefined
      if (ending !== undefined) return ending
    }
    for (const [id, { held }] of this.opened) {
      const ending = which(held.block.choice) ? this.finish(id, out) : undefined
      if (ending !== undefined) return ending
    }
    return undefined
  }
}
