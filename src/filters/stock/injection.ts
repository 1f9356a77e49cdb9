import type { Result } from "effect"
import type { Filter } from "../Filter.ts"
import type { Pattern } from "../pattern/Program.ts"
import { patternFilter, type Scope } from "./patternFilter.ts"
import { acting, type BlockAction, endingOf, type Refusal } from "./words.ts"
import { present } from "../../domain/present.ts"

/** Watches what tools answer for instructions that are none of the caller's. */
export interface Injection extends Refusal, Pick<Scope, "roles" | "onFailure"> {
  readonly name: string
  /** the words are hidden unless it says otherwise */
  readonly action?: BlockAction
  readonly target?: string
  /** what else gives an injection away */
  readonly patterns?: ReadonlyArray<string>
}

const instructions = "(?:instructions?|prompts?|rules|directives?|guidelines|directions|context|messages?)"
const earlier = "(?:previous|prior|above|earlier|preceding|foregoing|original|existing|system|your)"
const drop = "(?:ignore|disregard|forget|override|bypass|discard|do not follow|don't follow|stop following)"

/** How those begin who want to be obeyed: told of their words and of what only a program would write. */
const signs: ReadonlyArray<Pattern> = [
  `\\b${drop}\\s+(?:(?:all|any|every|each|of|the|these|those|my|and)\\s+){0,4}${earlier}\\s+(?:\\w+\\s+){0,2}${instructions}`,
  `\\b${drop}\\s+(?:everything|anything|all|what)\\s+(?:\\w+\\s+){0,3}(?:above|before|said|told|far)\\b`,
  "\\b(?:new|updated|revised|real|actual)\\s+(?:system\\s+)?(?:instructions?|prompt|directives?)\\s*:",
  "\\byou\\s+are\\s+now\\s+(?:a|an|the|in|going|free|no longer|dan)\\b",
  "\\bfrom\\s+now\\s+on,?\\s+you\\s+(?:are|will|must|should|only)\\b",
  "\\b(?:reveal|print|show|repeat|output|leak|send)\\s+(?:me\\s+)?(?:the|your|all)\\s+(?:\\w+\\s+){0,2}(?:system prompt|hidden prompt|initial instructions|api keys?|secrets?|credentials)",
  "\\b(?:do not|don't|never)\\s+(?:tell|inform|mention|reveal)\\s+(?:\\w+\\s+){0,3}(?:to\\s+)?the\\s+user\\b",
  "<\\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\\|>",
  "\\[/?(?:INST|SYS)\\]|<</?SYS>>",
  "</?(?:system|system_prompt|instructions|tool_result|function_results)>"
].map((source) => ({ source, caseInsensitive: true }))

/** Letters that a person does not see and a model reads. */
const unseen: ReadonlyArray<Pattern> = [{ source: "[\\x{E0000}-\\x{E007F}]+" }]

/** A filter against instructions in what tools answer, and in what providers' own tools found. */
export const injection = (settings: Injection): Result.Result<Filter, string> => {
  const { name, action = "hide", patterns = [], roles = ["tool"], onFailure } = settings
  const ending = endingOf(action, "what a tool answered holds instructions", settings)
  return patternFilter({
    name,
    sides: ["request"],
    kinds: ["text"],
    roles,
    ...present({ onFailure }),
    patterns: [...signs, ...unseen, ...patterns.map((source) => ({ source, caseInsensitive: true }))],
    onMatch: acting({
      name,
      action,
      ending,
      category: "prompt injection",
      severity: "high",
      hidden: () => "[removed]"
    })
  })
}
