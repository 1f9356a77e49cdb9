import type { Family } from "../LanguagePack.ts"
import { preview, type Signal } from "../Signal.ts"
import type { View } from "../Taxonomy.ts"
import { Profile } from "../Tokens.ts"
import { observed } from "./observed.ts"
import { present } from "../../domain/present.ts"

interface ObservedKind {
  readonly leaf: string
  readonly family: Family
  readonly confidence: number
}

const failures: ReadonlyArray<ObservedKind> = [
  { leaf: "invalid_args", family: "invalidArgs", confidence: 0.9 },
  { leaf: "tool_not_found", family: "toolNotFound", confidence: 0.95 },
  { leaf: "auth_misuse", family: "authMisuse", confidence: 0.8 },
  { leaf: "state_error", family: "stateError", confidence: 0.85 },
  { leaf: "bad_query", family: "badQuery", confidence: 0.8 }
]

const exhaustions: ReadonlyArray<ObservedKind> = [
  { leaf: "rate_limit", family: "rateLimit", confidence: 0.95 },
  { leaf: "api_error", family: "apiError", confidence: 0.9 },
  { leaf: "timeout", family: "timeout", confidence: 0.9 },
  { leaf: "network", family: "network", confidence: 0.9 },
  { leaf: "malformed_response", family: "malformedResponse", confidence: 0.85 },
  { leaf: "context_overflow", family: "contextOverflow", confidence: 0.9 }
]

const typesOf = (category: string, kinds: ReadonlyArray<ObservedKind>) => kinds.map(({ leaf }) => `${category}.${leaf}`)

/** What tools answer when something is wrong: with the call, or around it. */
export const observedTypes: ReadonlyArray<string> = [
  ...typesOf("execution.failure", failures),
  ...typesOf("environment.exhaustion", exhaustions)
]

/** Signals of what tools answered, of fresh rows: at most one failure and one exhaustion each. */
export const findObserved = ({ fresh, lexicon, rows }: View): ReadonlyArray<Signal> =>
  rows.slice(fresh).flatMap(({ row }) => {
    if (row.kind !== "observation") return []
    const text = observed(row.text, row.failed)
    const profile = new Profile(text)
    const place = { message: row.message, ...metadataOf(row) }
    return [
      ...first("execution.failure", failures, profile, place, lexicon),
      ...first("environment.exhaustion", exhaustions, profile, place, lexicon)
    ]
  })

const metadataOf = ({ call, tool }: { readonly tool?: string; readonly call?: number }) => ({
  metadata: {
    ...present({ tool_name: tool, call_message: call })
  }
})

const first = (
  category: string,
  kinds: ReadonlyArray<ObservedKind>,
  profile: Profile,
  place: Pick<Signal, "message" | "metadata">,
  lexicon: View["lexicon"]
): ReadonlyArray<Signal> => {
  for (const { confidence, family, leaf } of kinds) {
    const match = lexicon[family].exact(profile)
    if (match === undefined) continue
    const doubtful = leaf === "bad_query" && !/error|invalid|failed/i.test(profile.text)
    return [
      {
        ...place,
        type: `${category}.${leaf}`,
        confidence: doubtful ? 0.6 : confidence,
        snippet: around(profile.text, match.start ?? 0, match.end ?? 0),
        metadata: { ...place.metadata, pattern: match.pattern }
      }
    ]
  }
  return []
}

const margin = 50

/** The match with 50 characters before and after it, cut at code points. */
const around = (text: string, start: number, end: number): string => {
  const before = Array.from(text.slice(0, start))
  const after = Array.from(text.slice(end))
  return [
    before.length > margin ? "..." : "",
    before.slice(-margin).join(""),
    // a match is as long as its words, and a preview of it as long as any
    end - start > 200 ? preview(text.slice(start, end)) : text.slice(start, end),
    after.slice(0, margin).join(""),
    after.length > margin ? "..." : ""
  ].join("")
}
