import { errors } from "undici"
import { failure, type LlmError } from "../domain/LlmError.ts"
import { systemCodeOf } from "../domain/system-code.ts"

const causes: { readonly [code: string]: string } = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was reset",
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name could not be looked up",
  EHOSTUNREACH: "its host cannot be reached",
  ENETUNREACH: "its network cannot be reached",
  ETIMEDOUT: "the connection timed out",
  EMFILE: "this server has as many connections as it may have (ulimit -n)",
  EPROTO: "it does not speak TLS",
  UND_ERR_SOCKET: "the connection was closed",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the connection was closed",
  UND_ERR_HEADERS_OVERFLOW: "the head of its answer is too large",
  UND_ERR_DESTROYED: "the client is closed"
}

const describe = (code: string): string => {
  const known = causes[code]
  if (known !== undefined) return known
  if (code.startsWith("ERR_SSL_")) return `it does not speak TLS (${code})`
  if (/CERT|SIGNATURE|CRL|^HOSTNAME/.test(code)) return `its certificate is not trusted (${code})`
  return code === "" ? "the connection failed" : `the connection failed (${code})`
}

/**
 * The failure of a connection, in codes and our own words only: what a system says of it may contain addresses and
 * credentials. `beforeAnswer` is whether nothing of the answer had come.
 */
export const transportError = (cause: unknown, beforeAnswer: boolean): LlmError => {
  const code = systemCodeOf(cause)
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return failure({ _tag: "Timeout", phase: "connect" }, "The provider could not be reached in time")
  }
  if (code === "UND_ERR_INVALID_ARG" && cause instanceof Error) {
    // Undici names the header or the part of the request, never its value.
    return failure({ _tag: "Transport" }, `The request cannot be sent to the provider: ${cause.message}`)
  }
  const what = beforeAnswer ? "The provider could not be reached" : "The provider's answer broke off"
  const why = cause instanceof errors.HTTPParserError ? "it does not speak HTTP" : describe(code)
  return failure({ _tag: "Transport" }, `${what}: ${why}`)
}
