import type { Finding, Path } from "./problems.ts"

const reference = /\$\$\{|\$\{([^}]*)\}?/g
const wellFormed = /^([A-Za-z_]\w*)(?::-(.*))?$/s

/** A key that is not there: `index` is its place where a provider lists several. */
export interface MissingKey {
  readonly provider: string
  readonly index?: number
  readonly variable: string
}

/** A document with the values of the environment in it. */
export interface Substituted {
  readonly value: unknown
  readonly findings: ReadonlyArray<Finding>
  /** keys of providers that refer to a variable without a value; they are left out of the document, listed ones are empty */
  readonly missingKeys: ReadonlyArray<MissingKey>
}

/** Calls `visit` for every text in a document, and puts what it gives in the text's place. */
const mapTexts = (value: unknown, path: Path, visit: (text: string, path: Path) => string | undefined): unknown => {
  if (typeof value === "string") return visit(value, path)
  if (Array.isArray(value)) return value.map((element, index) => mapTexts(element, [...path, index], visit))
  if (!isSection(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, mapTexts(inner, [...path, key], visit)] as const)
      .filter(([, inner]) => inner !== undefined)
  )
}

/** Whether a value is what a document calls a section: an object that is neither a list nor a date. */
export const isSection = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** A key of a section, where both are there. */
export const field = (document: unknown, section: string, key: string): unknown => {
  const inner = isSection(document) ? document[section] : undefined
  return isSection(inner) ? inner[key] : undefined
}

/** The environment variables that a document refers to. */
export const variablesOf = (value: unknown): ReadonlySet<string> => {
  const names = new Set<string>()
  mapTexts(value, [], (text) => {
    for (const [whole, inner] of text.matchAll(reference)) {
      const name = wellFormed.exec(inner ?? "")?.[1]
      if (name !== undefined && whole.endsWith("}")) names.add(name)
    }
    return text
  })
  return names
}

/** Whether a text takes anything from the environment. */
export const refersToEnvironment = (text: string): boolean =>
  Array.from(text.matchAll(reference)).some(([whole]) => whole !== "$${")

/** Whose key a text is: `apiKey`, or one of `apiKeys`, which may be written with a label. */
const keyAt = ([section, provider, setting, index, ...rest]: Path):
  | Pick<MissingKey, "provider" | "index">
  | undefined => {
  if (section !== "providers" || typeof provider !== "string") return undefined
  if (setting === "apiKey" && index === undefined) return { provider }
  if (setting !== "apiKeys" || typeof index !== "number") return undefined
  return rest.length === 0 || (rest.length === 1 && rest[0] === "key") ? { provider, index } : undefined
}

/**
 * Puts the environment's values in the place of `${NAME}` and `${NAME:-default}`; `$${` stands for `${` itself. Only
 * texts are looked at, after the document was read: a value can not become anything but a part of a text. A variable
 * that is set to nothing counts as not set.
 */
export const substitute = (value: unknown, environment: ReadonlyMap<string, string>): Substituted => {
  const findings: Array<Finding> = []
  const missingKeys: Array<MissingKey> = []
  const visit = (text: string, path: Path): string | undefined => {
    const key = keyAt(path)
    let variable = ""
    const result = text.replaceAll(reference, (whole: string, inner: string | undefined) => {
      if (whole === "$${") return "${"
      const [, name, fallback] = (whole.endsWith("}") ? wellFormed.exec(inner ?? "") : null) ?? []
      if (name === undefined) {
        findings.push({
          path,
          message: `${whole} is no reference; write \${NAME} or \${NAME:-default}, and $\${ for \${ itself`
        })
        return whole
      }
      const found = environment.get(name) ?? fallback
      if (found !== undefined && found !== "") return found
      variable = name
      if (found !== undefined || key !== undefined) return ""
      findings.push({ path, message: `\${${name}} is not set; set it, or give it a default: \${${name}:-default}` })
      return whole
    })
    if (key === undefined || variable === "") return result
    missingKeys.push({ ...key, variable })
    return key.index === undefined ? undefined : ""
  }
  return { value: mapTexts(value, [], visit), findings, missingKeys }
}
