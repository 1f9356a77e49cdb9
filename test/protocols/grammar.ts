import type { LlmEvent } from "../../src/domain/LlmEvent.ts"

type Kind = "Text" | "Reasoning" | "ToolInput"

interface Block {
  readonly kind: Kind
  readonly choice: number
  readonly name: string
  open: boolean
  called: boolean
}

const blockKinds: ReadonlyArray<Kind> = ["Text", "Reasoning", "ToolInput"]

/** What kind of block an event begins, continues or ends, if it does. */
const blockStep = (tag: LlmEvent["_tag"]): { readonly kind: Kind; readonly step: string } | undefined => {
  const kind = blockKinds.find((name) => tag.startsWith(name) && /^(Start|Delta|End)$/.test(tag.slice(name.length)))
  return kind === undefined ? undefined : { kind, step: tag.slice(kind.length) }
}

/**
 * Everything that is wrong with the order of a stream's events, a line for each; empty where they obey the grammar:
 * `Started` first, blocks start, deltas, end under one unique id, a `ToolCall` after its `ToolInputEnd`, a further choice
 * finished once, `Finish` once and last. With `complete: false` the stream may stop anywhere, without its endings.
 */
export const grammarFaults = (
  events: ReadonlyArray<LlmEvent>,
  options: { readonly complete: boolean } = { complete: true }
): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const blocks = new Map<string, Block>()
  const finished = new Set<number>()
  const choices = new Set<number>()
  const fault = (index: number, what: string) => faults.push(`${index} ${events[index]?._tag ?? "the end"}: ${what}`)

  const checkBlock = (index: number, event: LlmEvent & { readonly id: string }, kind: Kind, step: string) => {
    const block = blocks.get(event.id)
    const choice = "choice" in event ? (event.choice ?? 0) : 0
    if (step === "Start") {
      if (block !== undefined) fault(index, `the id ${event.id} was used before`)
      blocks.set(event.id, { kind, choice, name: "name" in event ? event.name : "", open: true, called: false })
      return
    }
    if (block === undefined || !block.open) return fault(index, `the block ${event.id} is not open`)
    if (block.kind !== kind) fault(index, `the block ${event.id} is of the kind ${block.kind}`)
    if (block.choice !== choice) fault(index, `the block ${event.id} belongs to choice ${block.choice}`)
    if (step === "End") block.open = false
  }

  events.forEach((event, index) => {
    if ((event._tag === "Started") !== (index === 0)) fault(index, "Started comes first and only there")
    if (event._tag === "Finish" && index !== events.length - 1) fault(index, "Finish is not last")
    const choice = "choice" in event ? (event.choice ?? 0) : 0
    choices.add(choice)
    if (finished.has(choice)) fault(index, `choice ${choice} is finished`)
    const step = blockStep(event._tag)
    if (step !== undefined && "id" in event) return checkBlock(index, event, step.kind, step.step)
    if (event._tag === "ToolCall") {
      const block = blocks.get(event.id)
      if (block?.kind !== "ToolInput" || block.open) return fault(index, `${event.id} has no ended tool input`)
      if (block.called) fault(index, `${event.id} was called before`)
      if (block.name !== event.name) fault(index, `${event.id} has the name ${block.name}`)
      block.called = true
    }
    if (event._tag === "ChoiceFinish") {
      if (event.choice === 0) fault(index, "the first choice ends with Finish")
      finished.add(event.choice)
    }
  })
  if (!options.complete) return faults

  if (events.at(-1)?._tag !== "Finish") fault(events.length, "no Finish")
  for (const [id, block] of blocks) {
    if (block.open) fault(events.length, `the block ${id} was never ended`)
    else if (block.kind === "ToolInput" && !block.called) fault(events.length, `${id} has no ToolCall`)
  }
  for (const choice of choices) {
    if (choice !== 0 && !finished.has(choice)) fault(events.length, `choice ${choice} was never finished`)
  }
  return faults
}
