/** The two records of a call that went well, as Millrace writes them. */
import type { Schema } from "effect"
import type { FinalRecord, OpenRecord } from "../src/domain/Call.ts"

const usage = { inputTokens: 42, outputTokens: 100, cachedTokens: 0, reasoningTokens: 0, source: "provider" } as const

export interface RecordedCall extends Pick<OpenRecord, "id" | "model" | "delivery" | "openedAt"> {
  /** The JSON text of the request, and what it says. */
  readonly requestText: string
  readonly request: Schema.Json
}

export const openRecord = (call: RecordedCall): OpenRecord => ({
  ...call,
  requestId: `request-${call.id}`,
  dialect: "openai-chat",
  caller: { key: "ci", tenant: "team" }
})

/** With what the answer says. */
export const finalRecord = ({ id, model, openedAt }: RecordedCall, text: string): FinalRecord => {
  const target = { provider: "bench", model }
  const times = { waitedMs: 0, firstByteMs: 3, firstTokenMs: 5, endedMs: 20 }
  return {
    id,
    outcome: { _tag: "Completed", finish: "stop", delivered: true },
    target,
    usage,
    firstByteMs: 4,
    firstTokenMs: 6,
    totalMs: 20,
    upstream: { bytes: 30_000, frames: 103, events: 104 },
    delivered: { bytes: 30_000 },
    attempts: [{ ...target, startedAt: openedAt, ...times, status: 200, usage }],
    notices: [],
    response: {
      id: "chatcmpl-1",
      model: "bench-2026-11-01",
      choices: [{ index: 0, parts: [{ _tag: "Text", id: "0", text }], finish: { reason: "stop", rawReason: "stop" } }],
      usage
    }
  }
}
