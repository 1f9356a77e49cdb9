import { describe, expect, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { isSealed, proofFor, proofInBytesFor, unsealed } from "../../src/protocols/SealedReasoning.ts"

const pieces = ["a", "+/=", "millrace-reasoning-1.", '"', "\\", "\n", "é", "漢", "👋🏽", "\u0000"]
const AnyText = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.Literals(pieces)), { maxLength: 6 }), (chosen) =>
  chosen.join("")
)

describe("the proof of reasoning", () => {
  it.prop("of another format is sealed, whatever it is", [AnyText, AnyText], ([signature, redacted]) => {
    for (const proof of [{ signature }, { redacted }, { signature, redacted }]) {
      for (const signed of [proof, { ...proof, origin: "theirs" }]) {
        const sealed = proofFor("ours", signed) ?? ""
        expect(isSealed(sealed)).toBe(true)
        // Headers, URLs and the fields of every format take it.
        expect(sealed).toMatch(/^[\w.-]+$/)
        expect(unsealed(sealed)).toEqual(signed)
      }
    }
  })

  it.prop("is sealed in bytes where proofs are bytes, whichever base64 they come back in", [AnyText], ([signature]) => {
    const sealed = proofInBytesFor("ours", { signature, origin: "theirs" }) ?? ""
    const again = Buffer.from(sealed, "base64").toString("base64url")
    for (const seal of [sealed, again]) {
      expect(isSealed(seal)).toBe(true)
      expect(unsealed(seal)).toEqual({ signature, origin: "theirs" })
    }
  })

  it("of the format itself is passed as it is", () => {
    expect(proofInBytesFor("ours", { signature: "cw==", origin: "ours" })).toBe("cw==")
    expect(proofFor("ours", { signature: "s+/=", origin: "ours" })).toBe("s+/=")
    expect(proofFor("ours", { redacted: "r+/=", origin: "ours" })).toBe("r+/=")
  })

  it("is none where nobody signed, but says whose thoughts of another format they are", () => {
    for (const seal of [proofFor("ours", { origin: "theirs" }), proofInBytesFor("ours", { origin: "theirs" })]) {
      expect(unsealed(seal ?? "")).toEqual({ origin: "theirs" })
    }
    expect(proofFor("ours", { origin: "ours" })).toBeUndefined()
    expect(proofFor("ours", {})).toBeUndefined()
  })

  it.each(["", "!", "bm9uc2Vuc2U", Buffer.from("[1]").toString("base64url")])(
    "is lost where the seal is broken: %j",
    (rest) => expect(unsealed(`millrace-reasoning-1.${rest}`)).toEqual({})
  )
})
