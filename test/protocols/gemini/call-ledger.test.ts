import { describe, expect, it } from "vitest"
import { CallLedger } from "../../../src/protocols/gemini/call-ledger.ts"

describe("the calls of a conversation", () => {
  it("get ids that no other has, and answers those of their calls", () => {
    const calls = new CallLedger()
    expect(calls.call("call_1", "a")).toBe("call_1")
    expect(calls.call(undefined, "b")).toBe("call_2")
    expect(calls.call("", "b")).toBe("call_3")
    expect(calls.answer(undefined, "b")).toBe("call_2")
    expect(calls.answer("call_1", "b")).toBe("call_1")
    expect(calls.answer("call_1", "b")).toBe("call_3")
    expect(calls.answer("call_1", "b")).toBe("call_1")
    expect(calls.answer(undefined, "b")).toBe("call_4")
  })

  it("may be very many", () => {
    const calls = new CallLedger()
    const many = Array.from({ length: 200_000 }, (_, index) => index)
    const stated = many.map((index) => calls.call(`call_${many.length + index}`, "a"))
    const ids = many.map(() => calls.call(undefined, "a"))
    expect(ids[0]).toBe(`call_${2 * many.length}`)
    expect(many.map(() => calls.answer(undefined, "a"))).toEqual(stated)
    expect(many.map((index) => calls.answer(ids.at(-1 - index), "b"))).toEqual(ids.toReversed())
  })
})
