import { Result } from "effect"
import { describe, expect, it } from "vitest"
import type { LlmEvent } from "../../src/domain/LlmEvent.ts"
import type { LlmRequest } from "../../src/domain/LlmRequest.ts"
import { foldEvents } from "../../src/domain/LlmResponse.ts"
import { gemini } from "../../src/protocols/gemini/outbound.ts"
import { sealedFor } from "../../src/protocols/SealedRequest.ts"
import { callers, type Body, type Caller } from "./reasoning-parties.ts"

const asked: LlmRequest = { model: "smart", messages: [], sampling: {} }
const proven = ["c2lnbmVkIDE=", undefined, "c2lnbmVkIDI="]

/** What a provider answers whose calls are signed, not all of them. */
const answer = (): ReadonlyArray<LlmEvent> => {
  const calls = proven.map((thoughtSignature, index) => ({
    functionCall: { id: `call_${index}`, name: "look", args: {} },
    ...(thoughtSignature === undefined ? {} : { thoughtSignature })
  }))
  const events: Array<LlmEvent> = []
  gemini.decodeWhole({ candidates: [{ content: { role: "model", parts: calls }, finishReason: "STOP" }] }, events)
  return events
}

const signaturesIn = (body: unknown): ReadonlyArray<unknown> =>
  (body as { readonly contents: ReadonlyArray<{ readonly parts: ReadonlyArray<Body> }> }).contents
    .flatMap(({ parts }) => parts)
    .filter((part) => part["functionCall"] !== undefined)
    .map((part) => part["thoughtSignature"])

const seal = /millrace-reasoning|bWlsbHJhY2Ut/

describe.each(callers.map((caller) => [caller.dialect.id, caller] as const))(
  "signatures of calls, by %s",
  (id, caller) => {
    const nextOf = ({ dialect, next, whole }: Caller, events: ReadonlyArray<LlmEvent>) => {
      const context = { id: "made_here", created: 1, request: asked, origin: undefined }
      const body = next(whole(dialect.renderWhole(foldEvents(events), context, []) as Body))
      return { body, request: Result.getOrThrow(dialect.decode(body)).request }
    }
    const context = { model: "gemini-3-pro", delivery: "whole", quirks: {}, origin: undefined } as const
    const { body, request } = nextOf(caller, answer())

    it("come back to who gave them, each with its call", () => {
      const encoded = Result.getOrThrow(gemini.encode(request, context))
      expect(signaturesIn(encoded.body)).toEqual(proven)
      expect(encoded.notices).toEqual([])
    })

    it("stay away from others, who get the calls without them", () => {
      for (const { protocol } of callers) {
        if (protocol.id === gemini.id) continue
        const encoded = JSON.stringify(Result.getOrThrow(protocol.encode(request, context)))
        expect(encoded).not.toMatch(seal)
        expect(encoded).not.toMatch(/c2lnbmVk/)
        expect(encoded.match(/call_\d/g)).toHaveLength(3)
        expect(encoded).toContain("thoughtSignature:")
      }
    })

    it.runIf(id !== gemini.id)("stay away from others where the request goes on as received", () => {
      const origin = { protocol: id, body, text: JSON.stringify(body), headers: {} }
      const encoded = Result.getOrThrow(caller.protocol.encode(request, { ...context, origin }))
      expect(JSON.stringify(encoded.body)).not.toMatch(seal)
      expect(JSON.stringify(encoded.body).match(/call_\d/g)).toHaveLength(3)
      expect(encoded.notices).not.toEqual([])
    })

    it("come back through another server that opens seals", () => {
      for (const { dialect, protocol } of callers) {
        if (protocol.id === gemini.id) continue
        const quirks = { takesSeals: true } as const
        const sent = Result.getOrThrow(protocol.encode(sealedFor(protocol.id, request), { ...context, quirks })).body
        const behind = Result.getOrThrow(dialect.decode({ max_tokens: 9, ...sent })).request
        expect(signaturesIn(Result.getOrThrow(gemini.encode(behind, context)).body)).toEqual(proven)
      }
    })
  }
)
