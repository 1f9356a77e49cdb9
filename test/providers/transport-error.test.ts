import { assert, describe, it } from "@effect/vitest"
import { transportError } from "../../src/providers/transport-error.ts"

const coded = (code: string, message = "at 10.0.0.1 with secret") => Object.assign(new Error(message), { code })

describe("the failure of a connection", () => {
  for (const [code, words] of [
    ["ECONNREFUSED", "the connection was refused"],
    ["EAI_AGAIN", "its host name could not be looked up"],
    ["EMFILE", "this server has as many connections as it may have (ulimit -n)"],
    ["UND_ERR_HEADERS_OVERFLOW", "the head of its answer is too large"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)"],
    ["CERT_HAS_EXPIRED", "its certificate is not trusted (CERT_HAS_EXPIRED)"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "its certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE)"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is not trusted (ERR_TLS_CERT_ALTNAME_INVALID)"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "it does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)"],
    ["ENEW", "the connection failed (ENEW)"]
  ] as const) {
    it(`is said for ${code} without what the system says of it`, () => {
      const error = transportError(coded(code), true)
      assert.deepStrictEqual(error.reason, { _tag: "Transport" })
      assert.strictEqual(error.message, `The provider could not be reached: ${words}`)
    })
  }

  it("is that of the first address where several were tried", () => {
    const error = transportError(new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]), true)
    assert.match(error.message, /the connection was refused$/)
  })

  it("is found where it is the cause of another", () => {
    assert.match(transportError(new Error("fetch", { cause: coded("ECONNRESET") }), true).message, /was reset$/)
  })

  it("is a timeout where the system gave up connecting", () => {
    assert.deepStrictEqual(transportError(coded("UND_ERR_CONNECT_TIMEOUT"), true).reason, {
      _tag: "Timeout",
      phase: "connect"
    })
  })

  it("may be anything that was thrown", () => {
    for (const thrown of [undefined, "text", new Error("text")]) {
      assert.match(transportError(thrown, false).message, /broke off: the connection failed$/)
    }
  })
})
