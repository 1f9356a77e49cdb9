import type { FinalRecord, OpenRecord } from "../../src/domain/Call.ts"
import type { LlmResponse } from "../../src/domain/LlmResponse.ts"

export const openRecord = (id: string, more: Partial<OpenRecord> = {}): OpenRecord => ({
  id,
  model: "smart",
  delivery: "stream",
  caller: { key: "ci" },
  openedAt: 0,
  request: { messages: [{ role: "user", content: `Hello from ${id}` }] },
  ...more
})

export const responseOf = (text: string): LlmResponse => ({
  id: "answer-1",
  model: "smart-1",
  choices: [{ index: 0, parts: [{ _tag: "Text", id: "0", text }], finish: { reason: "stop", rawReason: "stop" } }],
  usage: { inputTokens: 3, outputTokens: 5, source: "provider" }
})

/** Something that a filter found, with the text that it stood in. */
export const findings: NonNullable<FinalRecord["findings"]> = [
  { filter: "guard", phase: "answer", category: "blocked", severity: "high", action: "observed", excerpt: "Hello from" }
]

export const finalRecord = (id: string, more: Partial<FinalRecord> = {}): FinalRecord => ({
  id,
  outcome: { _tag: "Completed", finish: "stop", delivered: true },
  target: { provider: "somewhere", model: "smart-1" },
  usage: { inputTokens: 3, outputTokens: 5, source: "provider" },
  firstByteMs: 4,
  firstTokenMs: 6,
  totalMs: 20,
  upstream: { bytes: 300, frames: 7, events: 8 },
  delivered: { bytes: 280 },
  attempts: [],
  notices: [],
  response: responseOf(`Hello, ${id}`),
  ...more
})
