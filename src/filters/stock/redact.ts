import { Result } from "effect"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { Filter, FilterContext } from "../Filter.ts"
import { packNames, packs, type Pack, type PackName } from "./packs.ts"
import { type Held, heldTo, patternFilter, type PatternFilter, reportOnce, type Scope } from "./patternFilter.ts"

/** A pattern of one's own: what is found is called by its name, in upper case. */
export interface OwnPattern {
  readonly name: string
  readonly pattern: string
  readonly ignoreCase?: boolean
  /** said in the place of what is found, where the action is to replace */
  readonly with?: string
}

/**
 * What is hidden and how: `replace` says what it was (`[EMAIL]`), `mask` leaves its shape, and `pseudonym` gives the same
 * thing the same name throughout a call (`[EMAIL_1]`), which the answer then says in clear again.
 */
export interface Redact extends Scope, Held {
  readonly name: string
  /** all of them unless it says which, or has patterns of its own only */
  readonly packs?: ReadonlyArray<PackName>
  readonly patterns?: ReadonlyArray<OwnPattern>
  readonly action?: "replace" | "mask" | "pseudonym"
}

interface Kind extends Pack {
  readonly category: string
  readonly with?: string
}

const labelOf = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]+/g, "_")

const kindsOf = ({ packs: chosen, patterns = [], ...held }: Redact): ReadonlyArray<Kind> => {
  const names = chosen ?? (patterns.length > 0 ? [] : packNames)
  const own = patterns.map(({ name, pattern, ignoreCase = false, with: by }): Kind => ({
    category: name,
    label: labelOf(name),
    patterns: heldTo([{ source: pattern, caseInsensitive: ignoreCase }], held),
    shown: 0,
    ...present({ with: by })
  }))
  // What one wrote oneself is meant more exactly than what stands in a pack.
  return [
    ...own,
    ...packNames.filter((name) => names.includes(name)).map((name) => ({ category: name, ...packs[name] }))
  ]
}

const masked = (text: string, shown: number): string => {
  const characters = Array.from(text)
  return characters
    .map((character, index) => (/[\p{L}\p{N}]/u.test(character) && index < characters.length - shown ? "*" : character))
    .join("")
}

/** The names that a call's request has given to what it hides. */
class Pseudonyms {
  private readonly byText = new Map<string, string>()
  private readonly byName = new Map<string, string>()
  private readonly counts = new Map<string, number>()
  private readonly request: string

  constructor(request: LlmRequest | undefined) {
    this.request = JSON.stringify(request?.messages ?? [])
  }

  of(text: string, label: string): string {
    const known = this.byText.get(text)
    if (known !== undefined) return known
    let count = this.counts.get(label) ?? 0
    let name
    // A name that the conversation uses already would be taken for one of ours in the answer.
    do name = `[${label}_${++count}]`
    while (this.request.includes(name))
    this.counts.set(label, count)
    this.byText.set(text, name)
    this.byName.set(name, text)
    return name
  }

  clear(name: string): string {
    return this.byName.get(name) ?? name
  }
}

/** A filter that hides what identifies somebody or lets somebody in. Fails where a pattern cannot be used. */
export const redact = (settings: Redact): Result.Result<Filter, string> => {
  const { name, action = "replace", packs: _, patterns: __, ...scope } = settings
  const kinds = kindsOf(settings)
  const known = kinds.flatMap((kind) => kind.patterns.map((pattern) => ({ kind, pattern })))
  const guessed = kinds.flatMap((kind) => kind.guesses?.map((pattern) => ({ kind, pattern })) ?? [])
  const owners = [...known, ...guessed]
  const sought = { patterns: known.map(({ pattern }) => pattern), guesses: guessed.map(({ pattern }) => pattern) }
  const found = (pattern: number, phase: "request" | "answer", context: FilterContext): Kind => {
    const { kind } = owners[pattern]!
    reportOnce(context, { filter: name, phase, category: kind.category, severity: "medium", action: "changed" })
    return kind
  }
  if (action === "pseudonym") return pseudonymize(name, scope, sought, found, kinds)
  return patternFilter({
    ...scope,
    ...sought,
    name,
    onMatch: ({ text, pattern }, { side }, context) => {
      const { label, shown, with: by } = found(pattern, side, context)
      return action === "mask" ? masked(text, shown) : (by ?? `[${label}]`)
    }
  })
}

const pseudonymize = (
  name: string,
  scope: Scope,
  sought: Pick<PatternFilter, "patterns" | "guesses">,
  found: (pattern: number, phase: "request" | "answer", context: FilterContext) => Kind,
  kinds: ReadonlyArray<Kind>
): Result.Result<Filter, string> => {
  const calls = new WeakMap<FilterContext, Pseudonyms>()
  const hiding = patternFilter({
    ...scope,
    ...sought,
    name,
    sides: ["request"],
    onMatch: ({ text, pattern }, { side }, context) =>
      calls.get(context)?.of(text, found(pattern, side, context).label) ?? `[${found(pattern, side, context).label}]`
  })
  const restoring = patternFilter({
    name,
    sides: ["answer"],
    patterns: [{ source: `\\[(?:${kinds.map(({ label }) => label).join("|")})_[0-9]{1,6}\\]` }],
    onMatch: ({ text }, _, context) => calls.get(context)?.clear(text) ?? text
  })
  return Result.map(Result.all([hiding, restoring]), ([hide, restore]) => ({
    ...hide,
    ...restore,
    request: (request, context) => {
      calls.set(context, new Pseudonyms(request))
      return hide.request!(request, context)
    }
  }))
}
