import { beginningOf } from "../../domain/beginning.ts"
import type { Finding } from "../../domain/Call.ts"
import { present } from "../../domain/present.ts"
import type { Result } from "effect"
import type { Filter } from "../Filter.ts"
import type { Match } from "../pattern/PatternScanner.ts"
import type { Pattern } from "../pattern/Program.ts"
import { type Ending, handOff, refuse, stop, stopAt } from "../Verdict.ts"
import {
  asItStands,
  type Held,
  heldTo,
  literal,
  patternFilter,
  type PatternFilter,
  reportOnce,
  type Scope
} from "./patternFilter.ts"

/** Words as they stand, and patterns, that mean the same to a filter. */
export interface WordList extends Held {
  readonly words?: ReadonlyArray<string>
  readonly patterns?: ReadonlyArray<string>
  /** a word matches within a longer one too; not by default */
  readonly withinWords?: boolean
  /** upper and lower case differ; not by default */
  readonly caseSensitive?: boolean
}

/** The patterns of a list. */
export const wordPatterns = ({
  words = [],
  patterns = [],
  withinWords = false,
  caseSensitive = false,
  ...held
}: WordList): ReadonlyArray<Pattern> => {
  const caseInsensitive = !caseSensitive
  return [
    ...words.map((word) => literal(word, { wholeWords: !withinWords, caseInsensitive })),
    ...heldTo(
      patterns.map((source) => ({ source, caseInsensitive })),
      held
    )
  ]
}

/** How a filter tells that it declines. */
export interface Refusal {
  readonly status?: 400 | 403
  readonly as?: "error" | "answer"
  /** what the caller reads in the place of what is withheld */
  readonly message?: string
}

/** What becomes of a text in which something is found that should not be there. */
export type BlockAction = "refuse" | "stop" | "hide" | "hand-off" | "observe"

/** A list of what must not be said. */
export interface Block extends WordList, Scope, Refusal {
  readonly name: string
  /** to refuse, unless it says otherwise */
  readonly action?: BlockAction
  /** what the caller and the record are told */
  readonly reason?: string
  /** the model that takes over, for `hand-off` */
  readonly target?: string
  readonly severity?: Finding["severity"]
}

/** What an action has done, for a finding. */
export const doneBy: { readonly [action in BlockAction]: Finding["action"] } = {
  refuse: "refused",
  stop: "stopped",
  hide: "changed",
  "hand-off": "handedOff",
  observe: "observed"
}

/** The verdict of an action that ends the call; nothing for one that lets it go on. */
export const endingOf = (
  action: BlockAction,
  reason: string,
  { target, status, as, message }: Refusal & { readonly target?: string }
): Ending | undefined => {
  switch (action) {
    case "refuse":
      return refuse(reason, {
        ...present({ status, as, message })
      })
    case "stop":
      return stop(reason)
    case "hand-off":
      return handOff(target ?? "", reason)
    default:
      return undefined
  }
}

/** Reports what was found, and says what becomes of it: how the call ends, what is `hidden`, or nothing. */
export const acting =
  ({ name, action, ending, category, severity, hidden }: Acting): PatternFilter["onMatch"] =>
  ({ text }, { side }, context) => {
    const excerpt = beginningOf(text, 120)
    reportOnce(context, { filter: name, phase: side, category, severity, action: doneBy[action], excerpt })
    return ending ?? (action === "hide" ? hidden(text) : text)
  }

interface Acting {
  readonly name: string
  readonly action: BlockAction
  readonly ending: Ending | undefined
  readonly category: Finding["category"]
  readonly severity: Finding["severity"]
  /** what is said in the place of what is hidden */
  readonly hidden: (text: string) => string
}

/** A filter that acts where one of its words is said. */
export const block = (settings: Block): Result.Result<Filter, string> => {
  const {
    name,
    action = "refuse",
    reason = "it holds what is not allowed",
    severity = "high",
    sides,
    kinds,
    roles,
    onFailure
  } = settings
  const ending = endingOf(action, reason, settings)
  return patternFilter({
    name,
    ...present({ sides, kinds, roles, onFailure }),
    patterns: wordPatterns(settings),
    onMatch: acting({
      name,
      action,
      ending,
      category: "blocked",
      severity,
      hidden: (text) => "*".repeat(Array.from(text).length)
    })
  })
}

/** Words that end an answer before they are said, as a stop sequence would. */
export interface StopWords {
  readonly name: string
  readonly words: ReadonlyArray<string>
  readonly onFailure?: Scope["onFailure"]
}

/** A filter that ends the answer before one of the words. */
export const stopWords = ({ name, words, onFailure }: StopWords): Result.Result<Filter, string> =>
  patternFilter({
    name,
    sides: ["answer"],
    kinds: ["text"],
    asWritten: true,
    ...present({ onFailure }),
    patterns: words.map((word) => asItStands(word)),
    onMatch: ({ text }) => stopAt(text)
  })

/** What to say in the place of what: `$&` in it stands for what was found, `$1` to `$9` for its groups. */
export interface ReplaceRule {
  readonly text?: string
  readonly pattern?: string
  readonly with: string
  readonly ignoreCase?: boolean
}

/** Texts and patterns to be said otherwise. */
export interface Replace extends Scope, Held {
  readonly name: string
  readonly rules: ReadonlyArray<ReplaceRule>
}

/** A filter that says things otherwise. */
export const replace = ({ name, rules, ...scope }: Replace): Result.Result<Filter, string> => {
  const patterns = rules.flatMap(({ text, pattern, ignoreCase = false }) =>
    pattern === undefined
      ? [asItStands(text ?? "", ignoreCase)]
      : heldTo([{ source: pattern, caseInsensitive: ignoreCase }], scope)
  )
  return patternFilter({
    ...scope,
    name,
    patterns,
    onMatch: (match) => substituted(rules[match.pattern]!.with, match)
  })
}

const substituted = (by: string, { text, groups }: Match): string => {
  if (!by.includes("$")) return by
  const taken = /\$[1-9]/.test(by) ? groups() : []
  return by.replace(/\$([&$1-9])/g, (_, what: string) =>
    what === "$" ? "$" : what === "&" ? text : (taken[Number(what)] ?? "")
  )
}
