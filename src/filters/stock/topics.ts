import { Effect, Result } from "effect"
import type { LlmRequest } from "../../domain/LlmRequest.ts"
import type { Filter } from "../Filter.ts"
import { compile } from "../pattern/Program.ts"
import { PatternScanner } from "../pattern/PatternScanner.ts"
import { scanWhole } from "../TextScanner.ts"
import { isEnding, stop } from "../Verdict.ts"
import { reportOnce } from "./patternFilter.ts"
import { type BlockAction, doneBy, endingOf, type Refusal, type WordList, wordPatterns } from "./words.ts"

/** What may be talked about: what the user says last has to hold one of the words. */
export interface Topics extends WordList, Refusal {
  readonly name: string
  readonly action?: Exclude<BlockAction, "hide" | "stop">
  readonly reason?: string
  readonly target?: string
}

const lastWords = ({ messages }: LlmRequest): string | undefined =>
  messages
    .findLast(({ role }) => role === "user")
    ?.parts.flatMap((part) => (part._tag === "Text" ? [part.text] : []))
    .join("\n")

/** A filter that lets only requests pass that are about something. One in which the user says nothing passes. */
export const topics = (settings: Topics): Result.Result<Filter, string> =>
  Result.map(compile(wordPatterns(settings)), (program): Filter => {
    const { name, action = "refuse", reason = "it is about something else" } = settings
    const ending = endingOf(action, reason, settings)
    return {
      name,
      timeout: 0,
      request: (request, context) => {
        const said = lastWords(request)
        if (said === undefined || said === "") return Effect.succeed(request)
        // The scanner ends where it finds something; that it does is all that matters here.
        if (isEnding(scanWhole(new PatternScanner(program, () => stop("found")), said))) return Effect.succeed(request)
        reportOnce(context, {
          filter: name,
          phase: "request",
          category: "topic",
          severity: "low",
          action: doneBy[action]
        })
        return ending ?? Effect.succeed(request)
      }
    }
  })
