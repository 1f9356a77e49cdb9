import { describe, expect, it } from "vitest"
import { Notices } from "../../src/protocols/Notices.ts"

describe("notices", () => {
  it("are kept once each, and not without a bound", () => {
    const notices = new Notices("nobody knows it")
    for (let times = 0; times < 2; times++) {
      for (let field = 0; field < 100_000; field++) notices.dropped(`field ${field % 150}`)
    }
    expect(notices.list).toHaveLength(150)
    for (let field = 0; field < 100_000; field++) notices.dropped(`field ${field}`)
    expect(notices.list).toHaveLength(201)
    expect(notices.list.at(-1)).toEqual({ code: "more", message: "there is more to say than these 200 notices" })
  })
})
