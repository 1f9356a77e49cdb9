import { describe, expect, it } from "vitest"
import type { Part, ToolCallPart } from "../../src/domain/LlmRequest.ts"
import {
  callFields,
  callProof,
  callSeal,
  callSealInBytes,
  openedCall,
  openedPart,
  withOpenedCalls
} from "../../src/protocols/CallOrigin.ts"
import { isSealed } from "../../src/protocols/SealedReasoning.ts"

describe("what only one format says of a call", () => {
  const value = { type: "kind", id: "i", program: "p", signature: "s+/=" }
  const call = { id: "call_1", origin: { protocol: "theirs", value } }
  const part: ToolCallPart = { _tag: "ToolCall", id: "call_1", name: "f", arguments: "{}" }
  const signed = { ...part, extensions: { theirs: { program: "p", signature: "s+/=" } } }

  it("is said to a caller of that format", () => {
    expect(callFields(call, "theirs")).toEqual(value)
    expect(callSeal(call, "theirs")).toBeUndefined()
    expect(callFields({}, "theirs")).toEqual({})
  })

  it("is sealed for a caller of another one, who brings it back to the call", () => {
    expect(callFields(call, "ours")).toEqual({})
    for (const seal of [callSeal(call, "ours") ?? "", callSealInBytes(call, "ours") ?? ""]) {
      expect(isSealed(seal)).toBe(true)
      expect(openedCall(part, seal)).toEqual(signed)
    }
  })

  it("comes back to its call from wherever in the turn its seal stands", () => {
    const { signature = "" } = callProof(call, "ours") ?? {}
    const other: Part = { ...part, id: "call_2" }
    const text: Part = { _tag: "Text", text: "So be it." }
    expect(withOpenedCalls([openedPart(signature, ""), text, other, part])).toEqual([text, other, signed])
    expect(withOpenedCalls([part, openedPart(signature, "")])).toEqual([signed])
    expect(withOpenedCalls([openedPart(signature, ""), other])).toEqual([other])
  })

  it("is nothing to seal where nobody wants it back, or the provider ran the call", () => {
    const plain = { type: "tool_use", id: "i", caller: { type: "direct" }, "~mark": 1 }
    expect(callSeal({ id: "call_1", origin: { protocol: "theirs", value: plain } }, "ours")).toBeUndefined()
    expect(callSeal({ ...call, providerExecuted: true }, "ours")).toBeUndefined()
  })

  it("is lost with a broken seal, and the call is not", () => {
    expect(openedCall(part, "millrace-reasoning-1.!")).toEqual(part)
  })
})
