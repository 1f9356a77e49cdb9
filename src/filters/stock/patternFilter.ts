import { Result } from "effect"
import type { Finding } from "../../domain/Call.ts"
import type { LlmRequest, Role } from "../../domain/LlmRequest.ts"
import { present } from "../../domain/present.ts"
import type { FailurePolicy, Filter, FilterContext } from "../Filter.ts"
import type { BlockKind } from "../HoldBack.ts"
import { JsonTextScanner, PerhapsJsonScanner } from "../JsonTextScanner.ts"
import { compile, type Pattern } from "../pattern/Program.ts"
import { type Match, PatternScanner } from "../pattern/PatternScanner.ts"
import { TwoPasses } from "../pattern/TwoPasses.ts"
import { textFilter, type TextPlace } from "../textFilter.ts"
import type { Ending } from "../Verdict.ts"

/** Which texts a filter looks at; everything where it does not say. */
export interface Scope {
  readonly sides?: ReadonlyArray<TextPlace["side"]>
  /** `tools` are the arguments of tool calls; `text` is also what is cited and what a provider's own tools answered */
  readonly kinds?: ReadonlyArray<"text" | "reasoning" | "tools">
  /** whose messages, in a request */
  readonly roles?: ReadonlyArray<Role>
  readonly onFailure?: FailurePolicy
}

const kindOf: { readonly [kind in BlockKind]: "text" | "reasoning" | "tools" } = {
  text: "text",
  value: "text",
  reasoning: "reasoning",
  toolArguments: "tools"
}

/** Whether a place is within a scope. */
export const isWithin = ({ kinds, roles }: Scope, place: TextPlace): boolean =>
  (kinds === undefined || kinds.includes(kindOf[place.kind])) &&
  (place.side === "answer" || roles === undefined || roles.includes(place.role))

const reported = new WeakMap<FilterContext, Set<string>>()

/** Reports a kind of finding once for each side of a call, however often it is found. */
export const reportOnce = (context: FilterContext, finding: Finding): void => {
  const seen = reported.get(context) ?? new Set()
  const kind = `${finding.filter} ${finding.phase} ${finding.category} ${finding.action}`
  if (seen.has(kind)) return
  reported.set(context, seen.add(kind))
  context.report(finding)
}

/** How much patterns of one's own may hold back. */
export interface Held {
  /**
   * how long a match may be that the pattern itself does not bound, in UTF-16 code units: so much is held back at most, and
   * of a longer match only the end is found; 256 unless it says so
   */
  readonly longest?: number
}

/** The patterns, held to that. */
export const heldTo = (patterns: ReadonlyArray<Pattern>, { longest }: Held): ReadonlyArray<Pattern> =>
  longest === undefined ? patterns : patterns.map((pattern) => ({ ...pattern, longest }))

/** A filter that looks for patterns: what is said in the place of a match, or the verdict about it. */
export interface PatternFilter extends Scope {
  readonly name: string
  readonly patterns: ReadonlyArray<Pattern>
  /** looked for in what is left between what the others found; they are counted on from those */
  readonly guesses?: ReadonlyArray<Pattern>
  readonly onMatch: (match: Match, place: TextPlace, context: FilterContext) => string | Ending
  /** whether an answer that is to be JSON is read as it is written, and not string by string */
  readonly asWritten?: boolean
}

/** Whether a text is JSON that its reader will parse: what an escape hides in it would be in clear then. */
const isStructured = ({ side, kind }: TextPlace, { responseFormat }: LlmRequest): boolean =>
  side === "answer" && kind === "text" && responseFormat !== undefined && responseFormat._tag !== "Text"

/** Makes a filter of patterns; fails where one of them cannot be used, with the reason. */
export const patternFilter = ({
  name,
  patterns,
  guesses = [],
  onMatch,
  asWritten = false,
  ...scope
}: PatternFilter): Result.Result<Filter, string> =>
  Result.map(Result.all([compile(patterns), compile(guesses)]), ([program, guessing]) =>
    textFilter({
      name,
      sides: scope.sides ?? ["request", "answer"],
      ...present({ onFailure: scope.onFailure }),
      scanner: (place, context, request) => {
        if (!isWithin(scope, place)) return undefined
        const known = () => new PatternScanner(program, (match) => onMatch(match, place, context))
        const guessed = () =>
          new PatternScanner(guessing, (match) =>
            onMatch({ ...match, pattern: patterns.length + match.pattern }, place, context)
          )
        const make = guesses.length === 0 ? known : () => new TwoPasses(known(), guessed)
        if (place.kind === "toolArguments") return new JsonTextScanner(make)
        return !asWritten && isStructured(place, request) ? new PerhapsJsonScanner(make) : make()
      }
    })
  )

const edge = /[\p{L}\p{N}_]/u

/** A text with nothing in it that means anything to a pattern. */
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")

/** A pattern that is a text exactly as it stands, white space too. */
export const asItStands = (text: string, caseInsensitive = false): Pattern => ({
  source: escaped(text),
  caseInsensitive
})

/**
 * A pattern that is what somebody would read as that text: with any white space between its words, and however letters
 * with marks are composed. `wholeWords` keeps it from matching within a longer word.
 */
export const literal = (
  text: string,
  {
    wholeWords = false,
    caseInsensitive = false
  }: { readonly wholeWords?: boolean; readonly caseInsensitive?: boolean } = {}
): Pattern => {
  const boundary = (character: string | undefined) =>
    wholeWords && character !== undefined && edge.test(character) ? "\\b" : ""
  const spelled = new Set([text, text.normalize("NFC"), text.normalize("NFD")])
  const sources = Array.from(spelled, (one) => escaped(one).replace(/\s+/g, "[\\s\\pZ]+"))
  const source = sources.length === 1 ? sources[0] : `(?:${sources.join("|")})`
  return { source: `${boundary(text[0])}${source}${boundary(text.at(-1))}`, caseInsensitive }
}
