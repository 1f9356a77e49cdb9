import { describe, expect, it } from "vitest"
import { callFields } from "../../src/protocols/CallOrigin.ts"
import { Notices } from "../../src/protocols/Notices.ts"

describe("what only one format says of a call", () => {
  const value = { type: "kind", id: "i", program: "p", signature: "s" }
  const origin = { protocol: "theirs", value }
  const read = (own: string, providerExecuted?: boolean) => {
    const said = new Notices("nobody knows it")
    const fields = callFields({ origin, ...(providerExecuted === undefined ? {} : { providerExecuted }) }, own, said)
    return { fields, notices: said.list.map(({ code, message }) => `${code} ${message}`) }
  }

  it("is said to a caller of that format", () => {
    expect(read("theirs")).toEqual({ fields: value, notices: [] })
    expect(callFields({}, "theirs", new Notices(""))).toEqual({})
  })

  it("is noticed field by field where another format is spoken", () => {
    expect(read("ours")).toEqual({
      fields: {},
      notices: ["dropped program of a tool call: nobody knows it", "dropped signature of a tool call: nobody knows it"]
    })
  })

  it("is nothing to notice of a call that the provider ran", () => {
    expect(read("ours", true)).toEqual({ fields: {}, notices: [] })
  })
})
