import type { Types } from "effect"
import type { OutsideEvent } from "./OutsideEvent.ts"
import type { NoteRecord, OutsideRecord, RunRecord, ScoreRecord, StepRecord } from "./RunRecord.ts"

/** An event, and the label of the key that it was sent with. */
export interface Told {
  readonly owner: string
  readonly event: OutsideEvent
}

type Progress = Extract<OutsideEvent, { readonly type: "run" | "step" }>

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const isEnding = ({ event }: Told): boolean =>
  (event.type === "run" || event.type === "step") && event.status !== undefined && event.status !== "running"

/**
 * The order in which events count, the last the most: it is one of what they say, never of when they came. What says how
 * something ended stands over what does not, then what happened later.
 */
const byWeight = (one: Told, other: Told): number =>
  Number(isEnding(one)) - Number(isEnding(other)) ||
  (one.event.at ?? 0) - (other.event.at ?? 0) ||
  compare(one.owner, other.owner) ||
  compare(one.event.id, other.event.id)

interface Timed {
  readonly id: string
  readonly startedAt?: number
  readonly endedAt?: number
  readonly at?: number
}

const momentOf = ({ at, endedAt, startedAt }: Timed): number => startedAt ?? endedAt ?? at ?? Number.MAX_SAFE_INTEGER

const inTime = (one: Timed, other: Timed): number => momentOf(one) - momentOf(other) || compare(one.id, other.id)

/** What is attached to a run, a step or the call itself. */
class Attachments {
  readonly #scores: Array<ScoreRecord> = []
  readonly #notes: Array<NoteRecord> = []

  addScore(score: ScoreRecord): void {
    this.#scores.push(score)
  }

  addNote(note: NoteRecord): void {
    this.#notes.push(note)
  }

  get record(): Pick<OutsideRecord, "scores" | "notes"> {
    return {
      ...(this.#scores.length === 0 ? {} : { scores: this.#scores.toSorted(inTime) }),
      ...(this.#notes.length === 0 ? {} : { notes: this.#notes.toSorted(inTime) })
    }
  }
}

class StepFold extends Attachments {
  readonly #known: Types.Mutable<Partial<StepRecord>> & { readonly id: string }
  readonly #calls = new Set<string>()

  constructor(id: string) {
    super()
    this.#known = { id }
  }

  /** Takes an event that counts more than those before it; what it does not say stays. */
  add(told: Told, event: Progress): void {
    const { at, call, id: _, run: _run, type: _type, ...said } = event
    const { step: _step, ...fields } = "step" in said ? said : { ...said, step: undefined }
    Object.assign(this.#known, fields)
    if (call !== undefined) this.#calls.add(call)
    if (at === undefined) return
    if (isEnding(told)) this.#known.endedAt = at
    else this.#known.startedAt = Math.min(this.#known.startedAt ?? at, at)
  }

  get step(): StepRecord {
    const calls = [...this.#calls].toSorted(compare)
    return { ...this.#known, ...(calls.length === 0 ? {} : { calls }), ...this.record }
  }
}

class RunFold extends StepFold {
  readonly #steps = new Map<string, StepFold>()

  stepOf(id: string): StepFold {
    const known = this.#steps.get(id)
    if (known !== undefined) return known
    const step = new StepFold(id)
    this.#steps.set(id, step)
    return step
  }

  get run(): RunRecord {
    return { ...this.step, steps: Array.from(this.#steps.values(), ({ step }) => step).toSorted(inTime) }
  }
}

type Score = Extract<OutsideEvent, { readonly type: "score" }>

const signed = (owner: string): { readonly by?: string } => (owner === "" ? {} : { by: owner })

/**
 * What is known from all that was told. It depends on the events alone: neither on their order nor on how often each came.
 * They are each other's completion: what one does not say stays as another has said it.
 */
export const foldEvents = (all: ReadonlyArray<Told>): OutsideRecord => {
  const runs = new Map<string, RunFold>()
  const scores = new Map<string, { readonly owner: string; score: Score }>()
  const unplaced = new Attachments()
  const runOf = (id: string): RunFold => {
    const known = runs.get(id)
    if (known !== undefined) return known
    const run = new RunFold(id)
    runs.set(id, run)
    return run
  }
  const placeOf = ({ run, step }: { readonly run?: string; readonly step?: string }): Attachments =>
    run === undefined ? unplaced : step === undefined ? runOf(run) : runOf(run).stepOf(step)

  for (const told of all.toSorted(byWeight)) {
    const { event, owner } = told
    switch (event.type) {
      case "run":
        runOf(event.run).add(told, event)
        break
      case "step":
        runOf(event.run).stepOf(event.step).add(told, event)
        break
      case "score": {
        const id = event.score ?? event.id
        const key = `${owner}\n${id}`
        scores.set(key, { owner, score: { ...scores.get(key)?.score, ...event, score: id } })
        break
      }
      case "note": {
        const { run: _run, step: _step, type: _type, ...note } = event
        placeOf(event).addNote({ ...note, ...signed(owner) })
      }
    }
  }
  for (const { owner, score } of scores.values()) {
    const { id, run: _run, score: named = id, step: _step, type: _type, ...said } = score
    placeOf(score).addScore({ ...said, id: named, ...signed(owner) })
  }
  return {
    ...(runs.size === 0 ? {} : { runs: Array.from(runs.values(), ({ run }) => run).toSorted(inTime) }),
    ...unplaced.record
  }
}
