import { Effect } from "effect"
import type { IncomingHttpHeaders } from "node:http"
import { type Access, anybody, type Principal } from "../accounting/Access.ts"
import { failure, type LlmError } from "../domain/LlmError.ts"

/** Who may ask for something: whoever reaches the server, whoever has a key, or the administrator alone. */
export type Audience = "everybody" | "callers" | "admin"

/** The key that a request shows in a header, where SDKs put it. */
export const secretIn = (headers: IncomingHttpHeaders): string | undefined => {
  const bearer = headers.authorization === undefined ? undefined : bearerOf(headers.authorization)
  return bearer ?? said(headers["x-api-key"]) ?? said(headers["x-goog-api-key"])
}

const secretOf = (headers: IncomingHttpHeaders, query: () => URLSearchParams): string | undefined =>
  secretIn(headers) ?? said(query().get("key"))

const bearerOf = (authorization: string): string | undefined => /^bearer +(.+)$/i.exec(authorization.trim())?.[1]

const said = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const unauthorized = (message: string): LlmError => failure({ _tag: "Unauthorized" }, message)

const missing = unauthorized(
  "This server asks for a key: send it as the header authorization (Bearer <key>), x-api-key or x-goog-api-key, or as ?key="
)
const unknown = unauthorized("The key is not valid here: it is not known, has expired, or is disabled")
const forAdmin = failure({ _tag: "PermissionDenied" }, "This is for the administrator's key (auth.adminKey)")

/** Finds out who asks; fails where they may not. */
export const authenticate = (
  { required, identify }: (typeof Access)["Service"],
  audience: Audience,
  headers: IncomingHttpHeaders,
  query: () => URLSearchParams
): Effect.Effect<Principal, LlmError> => {
  if (!required || audience === "everybody") return Effect.succeed(anybody)
  const secret = secretOf(headers, query)
  if (secret === undefined) return missing
  return Effect.flatMap(identify(secret), (principal) => {
    if (principal === undefined) return unknown
    return audience === "admin" && principal._tag !== "Admin" ? forAdmin : Effect.succeed(principal)
  })
}
