import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { foldEvents, type Told } from "../../../src/audit/events/foldEvents.ts"
import { EventStatus, type OutsideEvent } from "../../../src/audit/events/OutsideEvent.ts"

const few = Schema.Literals(["a", "b", "c"])
const optional = Schema.optionalKey

/** Events that are often about the same things and often say the same fields, at a few times. */
const Draft = Schema.Struct({
  owner: few,
  type: Schema.Literals(["run", "step", "score", "note"]),
  run: optional(few),
  step: optional(few),
  call: optional(few),
  score: optional(few),
  name: few,
  status: optional(EventStatus),
  at: optional(Schema.Literals([1, 2, 3])),
  output: optional(few),
  order: Schema.Natural
})
type Draft = typeof Draft.Type

const eventOf = (draft: Draft, id: string): OutsideEvent => {
  const { at, call, name, output, run, score, status, step, type } = draft
  const head = { id, ...(at === undefined ? {} : { at }), ...(call === undefined ? {} : { call }) }
  const place = run === undefined ? {} : { run, ...(step === undefined ? {} : { step }) }
  const progress = {
    name,
    ...(status === undefined ? {} : { status }),
    ...(output === undefined ? {} : { output })
  }
  switch (type) {
    case "run":
      return { type, ...head, run: run ?? "a", ...progress }
    case "step":
      return { type, ...head, run: run ?? "a", step: step ?? "a", ...progress }
    case "score":
      return { type, ...head, ...place, name, value: at ?? 0, ...(score === undefined ? {} : { score }) }
    case "note":
      return { type, ...head, ...place, name, ...(output === undefined ? {} : { data: output }) }
  }
}

it.effect.prop("what is known does not depend on the order of events", [Schema.Array(Draft)], ([drafts]) =>
  Effect.sync(() => {
    const told = drafts.map((draft, index): Told => ({ owner: draft.owner, event: eventOf(draft, String(index)) }))
    const known = foldEvents(told)
    const shuffled = told
      .map((one, index) => ({ one, order: drafts[index]?.order ?? 0 }))
      .toSorted((a, b) => a.order - b.order)
      .map(({ one }) => one)
    assert.deepStrictEqual(foldEvents(shuffled), known)
    assert.deepStrictEqual(foldEvents(told.toReversed()), known)
  })
)
