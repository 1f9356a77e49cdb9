import { Redacted } from "effect"
import { adminName } from "../domain/Call.ts"
import type { Authentication } from "./Configuration.ts"
import type { Document } from "./Document.ts"
import type { Finding, Path, Problem } from "./problems.ts"
import { field, isSection, refersToEnvironment } from "./substitute.ts"

/** Whether a document wants callers to show keys: it says so, or it has keys. */
export const asksForKeys = (document: unknown): boolean => {
  const mode = field(document, "auth", "mode")
  if (mode !== undefined) return mode === "keys"
  return field(document, "auth", "adminKey") !== undefined || field(document, "auth", "keys") !== undefined
}

/** Who is let in, as a sound document says it. */
export const authenticationOf = (auth: Document["auth"], environment: ReadonlyMap<string, string>): Authentication => ({
  peppers: peppersOf(auth.pepper, environment.get(pepperVariable)),
  mode: asksForKeys({ auth }) ? "keys" : "open",
  adminKey: auth.adminKey,
  keys: (auth.keys ?? []).map(({ key: secret, ...key }) => ({ ...key, secret }))
})

/** What secrets are hashed with where the document does not say. */
export const pepperVariable = "MILLRACE_KEY_PEPPER"

const peppersOf = (
  pepper: Document["auth"]["pepper"],
  ofEnvironment: string | undefined
): ReadonlyArray<Redacted.Redacted> => {
  if (pepper === undefined) return ofEnvironment === undefined ? [] : [Redacted.make(ofEnvironment)]
  return Redacted.isRedacted(pepper) ? [pepper] : pepper
}

const shortest = 16
const isTooShort = (pepper: string): boolean => pepper.length < shortest
export const expectedPepper = `a text of ${shortest} characters or more that nobody guesses`

/** What is wrong with a pepper of the environment, where the document has none. */
export const pepperProblems = (document: unknown, environment: ReadonlyMap<string, string>): ReadonlyArray<Problem> => {
  const said = environment.get(pepperVariable)
  if (said === undefined || !isTooShort(said) || field(document, "auth", "pepper") !== undefined) return []
  return [{ path: pepperVariable, message: `is too short; write ${expectedPepper}` }]
}

const keysOf = (document: unknown): ReadonlyArray<{ readonly [key: string]: unknown }> => {
  const keys = field(document, "auth", "keys")
  return Array.isArray(keys) ? keys.filter((key: unknown) => isSection(key)) : []
}

/** The peppers of a document with their places. */
const peppersIn = (document: unknown): ReadonlyArray<readonly [path: Path, pepper: unknown]> => {
  const pepper = field(document, "auth", "pepper")
  return Array.isArray(pepper)
    ? pepper.map((each: unknown, index) => [["auth", "pepper", index], each])
    : [[["auth", "pepper"], pepper]]
}

const checkPeppers = (document: unknown): ReadonlyArray<Finding> => {
  const peppers = peppersIn(document)
  return peppers.flatMap(([path, pepper], index): ReadonlyArray<Finding> => {
    if (typeof pepper !== "string") return []
    if (isTooShort(pepper)) return [{ path, message: `is too short; write ${expectedPepper}` }]
    const isRepeated = peppers.some(([, other], at) => at < index && other === pepper)
    return isRepeated ? [{ path, message: "stands in the list already; remove it" }] : []
  })
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
  findings.push(...checkPeppers(document))
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

const literalPeppers = (written: unknown): ReadonlyArray<Finding> =>
  peppersIn(written).flatMap(([path, pepper]): ReadonlyArray<Finding> => {
    if (typeof pepper !== "string" || refersToEnvironment(pepper)) return []
    return [{ path, message: `the pepper stands in the file itself; keep it in the environment as ${pepperVariable}` }]
  })

/** Keys that are written into the file. */
export const literalCallerKeys = (written: unknown): ReadonlyArray<Finding> => {
  const isLiteral = (key: unknown) => typeof key === "string" && !refersToEnvironment(key)
  const message = (variable: string) =>
    `the key stands in the file itself; keep it in the environment and write "\${${variable}}"`
  const adminKey = field(written, "auth", "adminKey")
  return [
    ...literalPeppers(written),
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
