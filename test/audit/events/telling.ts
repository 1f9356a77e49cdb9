import { Effect } from "effect"
import { AuditTrail } from "../../../src/audit/AuditTrail.ts"

export const anyone = { owner: "", onlyOwnCalls: false }
export const ci = { owner: "ci", onlyOwnCalls: true }
export const admin = { owner: "admin", onlyOwnCalls: false }

/** Tells of events, and gives what became of each: nothing, or why it was refused. */
export const tell = (items: ReadonlyArray<object>, sender = anyone) =>
  Effect.map(
    AuditTrail.use((trail) => trail.tell(items, sender)),
    (verdicts) => verdicts.map((verdict) => (verdict._tag === "Refused" ? verdict.refusal.reason : undefined))
  )

const at = (second: number) => Date.UTC(2026, 0, 1, 0, 0, second)

/** A story of one call in two runs: every kind of event, with several about the same thing. */
export const story = (call: string): ReadonlyArray<{ readonly id: string; readonly [key: string]: unknown }> => [
  { id: "r1", type: "run", run: "refund", name: "refund agent", status: "running", input: { order: 7 }, at: at(1) },
  { id: "r2", type: "run", run: "refund", status: "completed", output: "done", at: at(9) },
  { id: "r3", type: "run", run: "refund", call, name: null },
  { id: "s1", type: "step", run: "refund", step: "1", kind: "tool", name: "look up", status: "running", at: at(2) },
  { id: "s2", type: "step", run: "refund", step: "1", status: "failed", error: "no such order", at: at(3) },
  { id: "s3", type: "step", run: "refund", step: "2", parent: "1", call, at: at(4), output: { first: true } },
  { id: "s4", type: "step", run: "refund", step: "2", at: at(5), output: { second: true } },
  { id: "p1", type: "score", call, name: "useful", value: 4, comment: "quite", at: at(20) },
  { id: "p2", type: "score", call, score: "ada/polite", name: "polite", value: true, at: at(21) },
  { id: "p3", type: "score", call, score: "ada/polite", name: "polite", value: false, comment: null, at: at(22) },
  { id: "p4", type: "score", run: "refund", step: "2", name: "correct", value: "yes" },
  { id: "n1", type: "note", call, name: "reviewed", data: { by: "bob" }, at: at(30) },
  { id: "n2", type: "note", run: "refund", name: "escalated", at: at(31) },
  { id: "o1", type: "run", run: "other", name: "another run", status: "running" }
]

/** What is known once it was all told. */
export const known = (call: string) => ({
  runs: [
    {
      id: "refund",
      name: "refund agent",
      status: "completed",
      startedAt: at(1),
      endedAt: at(9),
      input: { order: 7 },
      output: "done",
      calls: [call],
      notes: [{ id: "n2", name: "escalated", at: at(31) }],
      steps: [
        {
          id: "1",
          kind: "tool",
          name: "look up",
          status: "failed",
          error: "no such order",
          startedAt: at(2),
          endedAt: at(3)
        },
        {
          id: "2",
          parent: "1",
          startedAt: at(4),
          output: { second: true },
          calls: [call],
          scores: [{ id: "p4", name: "correct", value: "yes" }]
        }
      ]
    }
  ],
  scores: [
    { id: "p1", name: "useful", value: 4, comment: "quite", call, at: at(20) },
    { id: "ada/polite", name: "polite", value: false, call, at: at(22) }
  ],
  notes: [{ id: "n1", name: "reviewed", data: { by: "bob" }, call, at: at(30) }]
})
