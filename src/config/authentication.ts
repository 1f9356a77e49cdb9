import { adminName } from "../domain/Call.ts"
import type { Authentication } from "./Configuration.ts"
import type { Document } from "./Document.ts"
import type { Finding } from "./problems.ts"
import { field, isSection, refersToEnvironment } from "./substitute.ts"

/** Whether a document wants callers to show keys: it says so, or it has keys. */
export const asksForKeys = (document: unknown): boolean => {
  const mode = field(document, "auth", "mode")
  if (mode !== undefined) return mode === "keys"
  return field(document, "auth", "adminKey") !== undefined || field(document, "auth", "keys") !== undefined
}

/** Who is let in, as a sound document says it. */
export const authenticationOf = (auth: Document["auth"]): Authentication => ({
  mode: asksForKeys({ auth }) ? "keys" : "open",
  adminKey: auth.adminKey,
  keys: (auth.keys ?? []).map(({ key: secret, ...key }) => ({ ...key, secret }))
})

const keysOf = (document: unknown): ReadonlyArray<{ readonly [key: string]: unknown }> => {
  const keys = field(document, "auth", "keys")
  return Array.isArray(keys) ? keys.filter((key: unknown) => isSection(key)) : []
}

/** What must hold between the keys of a document. */
export const checkAuthentication = (document: unknown): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = []
  if (field(document, "auth", "mode") === "open") {
    for (const setting of ["adminKey", "keys"]) {
      if (field(document, "auth", setting) === undefined) continue
      findings.push({
        path: ["auth", setting],
        message: "means nothing while nobody is asked for a key; say mode: keys, or remove it"
      })
    }
  }
  const names = new Set<unknown>()
  const secrets = new Set<unknown>([field(document, "auth", "adminKey")])
  for (const [index, { key, name }] of keysOf(document).entries()) {
    const path = ["auth", "keys", index]
    if (names.has(name)) {
      findings.push({ path: [...path, "name"], message: "is the name of another key already; choose another" })
    }
    if (name === adminName) {
      findings.push({ path: [...path, "name"], message: "stands for the administrator's key; choose another" })
    }
    if (secrets.has(key)) {
      findings.push({ path: [...path, "key"], message: "is another key already; each has to be one of its own" })
    }
    names.add(name)
    if (key !== undefined) secrets.add(key)
  }
  return findings
}

/** Keys that are written into the file. */
export const literalCallerKeys = (written: unknown): ReadonlyArray<Finding> => {
  const isLiteral = (key: unknown) => typeof key === "string" && !refersToEnvironment(key)
  const message = (variable: string) =>
    `the key stands in the file itself; keep it in the environment and write "\${${variable}}"`
  const adminKey = field(written, "auth", "adminKey")
  return [
    ...(isLiteral(adminKey) ? [{ path: ["auth", "adminKey"], message: message("MILLRACE_ADMIN_KEY") }] : []),
    ...keysOf(written).flatMap(({ key, name }, index) =>
      isLiteral(key)
        ? [
            {
              path: ["auth", "keys", index, "key"],
              message: message(`${String(name).toUpperCase().replaceAll(/\W/g, "_")}_KEY`)
            }
          ]
        : []
    )
  ]
}
